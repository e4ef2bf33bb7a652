"""The orientation in EXIF data, read by the rules of `kgen.serving.orientation`."""

import re
import struct

_TAG = 0x0112  # EXIF 2.32, section 4.6.4.
_TYPES = {3: "H", 4: "L"}  # Of TIFF, of 2 and 4 bytes; no other counts.


def orientation_of(exif):
    """Return the orientation that EXIF data say, 1 to 8; 1 where they say none.

    It is the first entry of that tag, one whole number. Pillow's own reader takes what is none, as
    floats, too, and looks in XMP data.

    Args:
        exif: bytes, with or without the prefix `Exif`, which some programs write twice.
    """
    exif = re.sub(rb"^(Exif\0\0){1,2}", b"", exif)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1
    try:
        (first,) = struct.unpack_from(f"{order}L", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, first)
        for place in range(first + 2, first + 2 + 12 * entries, 12):
            tag, kind, count = struct.unpack_from(f"{order}HHL", exif, place)
            if tag == _TAG:
                if count != 1 or kind not in _TYPES:
                    return 1
                (found,) = struct.unpack_from(order + _TYPES[kind], exif, place + 8)
                return found if 1 <= found <= 8 else 1
    except struct.error:  # They end before; no reason to refuse the pixels.
        pass
    return 1
