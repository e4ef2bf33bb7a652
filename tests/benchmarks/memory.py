"""Peak memory of a variant, each in a process of its own; run as a module it is that process."""

import concurrent.futures
import json
import pathlib
import resource
import subprocess
import sys

from tests.benchmarks.variants import Runner, Sizes, Variant


def peak_memory(variants, sizes, steps=3, workers=2):
    """Returns, for each variant, a dict of MiB: `peak`, and `added` to what the imports took."""

    def measure(variant):
        request = json.dumps([variant, sizes, steps])
        command = [sys.executable, "-m", __name__, request]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return {"error": done.stderr.strip().splitlines()[-1:]}
        return json.loads(done.stdout.splitlines()[-1])

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return dict(zip(variants, pool.map(measure, variants), strict=True))


def main():
    variant, sizes, steps = json.loads(sys.argv[1])
    before = _peak()
    runner = Runner(Variant(*variant), Sizes(*sizes))
    runner.first()
    runner.block(steps)
    print(json.dumps({"peak": _peak(), "added": _peak() - before}))


def _peak():
    """MiB. Not `ru_maxrss` on Linux, which a process inherits from the one that started it."""
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts in bytes.


if __name__ == "__main__":
    main()
