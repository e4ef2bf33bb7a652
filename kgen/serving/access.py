"""How a client gets at a server: where it is, what the client shows and whom it trusts."""

import dataclasses
import pathlib
import re
import urllib.parse

from kgen.serving.errors import ServerError

SCHEMES = ("http", "https", "grpc", "grpcs")


@dataclasses.dataclass(frozen=True, repr=False)
class Access:
    """What a client is told of a server; arguments as of `kgen.serving.Client`.

    Raises:
        ValueError: If an argument is not of this form; credentials are not in the message.
    """

    address: str
    headers: dict | None = None
    ca_certificates: str | None = None
    client_certificate: tuple | None = None
    max_response_bytes: int = 2**30

    def __post_init__(self):
        _check_address(self.address)
        for name, value in (self.headers or {}).items():
            _check_header(name, value)
        files = [self.ca_certificates, *(self.client_certificate or ())]
        files = [path for path in files if path is not None]
        if self.client_certificate is not None and len(self.client_certificate) != 2:
            raise ValueError("`client_certificate` must be two files, the certificate and its key.")
        for path in files:
            if not _expanded(path).is_file():
                raise ValueError(f"Certificates must be files, received {str(path)!r}.")
        if files and self.scheme not in ("https", "grpcs"):
            raise ValueError(
                "Certificates need an `address` of https:// or grpcs://, received "
                f"{self.address!r}."
            )

    @property
    def scheme(self):
        """One of `SCHEMES`."""
        return urllib.parse.urlsplit(self.address).scheme

    @property
    def roots(self):
        """The path of the certificates to trust; `None` for those of the system."""
        return None if self.ca_certificates is None else str(_expanded(self.ca_certificates))

    @property
    def identity(self):
        """The paths of the client's certificate and its key, or `None`."""
        if self.client_certificate is None:
            return None
        return tuple(str(_expanded(path)) for path in self.client_certificate)

    def told(self, message):
        """Returns what may be shown of a server's message: short, and without credentials.

        That is without the headers' values and without each part of them, such as a cookie's.
        """
        secrets = set()
        for value in (self.headers or {}).values():
            secrets |= {value, *re.split(r"[\s;,=]+", value), *re.split(r"[^\w.~+/-]+", value)}
        for secret in sorted(secrets, key=len, reverse=True):
            if len(secret) > 3:
                # Also as it stands in JSON and in representations of texts.
                message = re.sub(r"\\*".join(map(re.escape, secret)), "...", message)
        return message if len(message) <= 1000 else f"{message[:1000]}..."

    def read(self, parse, shown):
        """Returns what `parse()` makes of a server's answer, of which nothing is sure.

        Args:
            parse: The function.
            shown: What the answer is called where it is not understood, a text.

        Raises:
            ServerError: Whatever `parse` raises.
        """
        try:
            return parse()
        except ServerError:
            raise
        except Exception:
            pass
        # Without the chain, whose parts hold the answer and so what it may repeat.
        raise ServerError(
            f"{self.address} did not answer as TensorFlow Serving does, but "
            f"{self.told(shown.strip()) or 'nothing':.100}."
        )


def _check_address(address):
    try:
        parts = urllib.parse.urlsplit(address)
        port = parts.port  # Raises where it is no number.
    except (ValueError, AttributeError, TypeError):
        parts = port = None
    is_server = parts is not None and parts.scheme in SCHEMES and parts.hostname
    if is_server and (parts.username is not None or parts.query or parts.fragment):
        raise ValueError(
            "`address` must hold a host and a port alone: a user's name, a password or a token go "
            "into `headers`, such as {'Authorization': 'Bearer ...'}."
        )
    is_rpc = is_server and parts.scheme.startswith("grpc")
    if not is_server or (is_rpc and (port is None or parts.path.strip("/"))):
        shown = "one with an @" if isinstance(address, str) and "@" in address else repr(address)
        raise ValueError(
            '`address` must be "http://<host>:<port>" or "grpc://<host>:<port>", or with TLS '
            f'"https://..." or "grpcs://...", received {shown}.'
        )


def _check_header(name, value):
    is_name = isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name)
    if not is_name or name.lower().endswith("-bin"):
        raise ValueError(f"`headers` must be named by letters, digits and -, received {name!r}.")
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]([ -~]*[!-~])?", value):
        raise ValueError(
            f"`headers` must hold texts of printable ASCII without spaces around them, which that "
            f"of {name!r} is not."
        )


def _expanded(path):
    return pathlib.Path(path).expanduser()
