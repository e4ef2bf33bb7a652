"""Processes of one training on this machine, which find each other through TF_CONFIG."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
TIMEOUT = 600  # Seconds until processes that hang are killed; with two cores they need about 20.


def run_workers(folder, *arguments, count=2, sabotage=None, several=False):
    """Runs `tests.distribution.worker` in some processes until all have ended.

    Args:
        folder: Folder of the run.
        *arguments: What else each is given on the command line.
        count: How many processes.
        sabotage: `(rank, round, signal)`, of a process that sends itself a signal after a round.
        several: Whether each goes through the several trainings of `worker.several`.

    Returns:
        List of `(exit code, what it has printed)`.
    """
    addresses = [f"127.0.0.1:{port}" for port in free_ports(count)]
    processes = []
    try:
        for rank in range(count):
            task = {"type": "worker", "index": rank}
            environment = {
                **os.environ,
                "TF_CONFIG": json.dumps({"cluster": {"worker": addresses}, "task": task}),
                "CUDA_VISIBLE_DEVICES": "-1",
                "SABOTAGE": " ".join(str(int(number)) for number in sabotage or (-1, 0, 0)),
                **({"SEVERAL": "1"} if several else {}),
            }
            command = [sys.executable, "-m", "tests.distribution.worker", "--out", str(folder)]
            processes.append(
                subprocess.Popen(
                    [*command, "--strategy", "multiworker", *arguments],
                    cwd=ROOT,
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
        return [
            (process.returncode, output)
            for process in processes
            for output, _ in [process.communicate(timeout=TIMEOUT)]
        ]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def free_ports(count):
    """Returns numbers of ports of 127.0.0.1 that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
