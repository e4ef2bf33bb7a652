"""Processes of one training on this machine, which find each other through TF_CONFIG."""

import contextlib
import json
import os
import signal
import socket
import threading

from tests.forking import Forks

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
    with Forks("tests.distribution.worker") as forks:
        processes = []
        for rank in range(count):
            task = {"type": "worker", "index": rank}
            environment = {
                "TF_CONFIG": json.dumps({"cluster": {"worker": addresses}, "task": task}),
                "CUDA_VISIBLE_DEVICES": "-1",
                "SABOTAGE": " ".join(str(int(number)) for number in sabotage or (-1, 0, 0)),
                **({"SEVERAL": "1"} if several else {}),
            }
            command = ["--out", str(folder), "--strategy", "multiworker", *arguments]
            processes.append(forks.start(*command, **environment))
        late = threading.Timer(TIMEOUT, lambda: [os.kill(p.pid, signal.SIGKILL) for p in processes])
        late.start()
        try:
            outputs = [process.wait() for process in processes]
        finally:
            late.cancel()
        return [(p.returncode, said) for p, said in zip(processes, outputs, strict=True)]


def free_ports(count):
    """Returns numbers of ports of 127.0.0.1 that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
