"""`kgen cache`: what is kept because it is slow to compute."""

import dataclasses

import tyro


@dataclasses.dataclass(frozen=True)
class Cache:
    """Shows the files of kgen's cache and their sizes, those used last first, or removes them.

    They are in KGEN_CACHE, or ~/.cache/kgen. With more than KGEN_CACHE_LIMIT, in MiB (4096), those
    not used for longest go by themselves.
    """

    clear: tyro.conf.FlagCreatePairsOff[bool] = False
    """Whether to remove all of them; they are made again where they are needed."""


def main(arguments):
    """Prints the files, or which were removed."""
    config = tyro.cli(Cache, prog="kgen cache", args=arguments)
    # Not above: `--help` need not wait for TensorFlow.
    from kgen.metrics import cache

    files = cache.contents()
    if config.clear:
        gone = cache.trim(0)
        print(f"removed {len(gone)} files from {cache.cache_folder()}")
        return
    for path, size in files:
        print(f"{size / 2**20:9.1f} MiB  {path}")
    total, limit = sum(size for _, size in files) / 2**20, cache.cache_limit() / 2**20
    print(f"{total:9.1f} MiB of at most {limit:,.0f} in {cache.cache_folder()}")
