"""Processes that tests start and kill, as forks of one that has imported TensorFlow for all.

    python -m tests.forking [settings of TensorFlow's optimizer of graphs, as JSON]

It imports the modules whose `main(*arguments)` forks call, and computes nothing itself:
TensorFlow's threads, which no fork has, start with the first computation.
"""

import importlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[1]


class Parent:
    """The process that forks; a process of the tests has one, from when it is needed first."""

    def __init__(self):
        # As the process of the tests is set up, forks are.
        import tensorflow as tf

        settings = tf.config.optimizer.get_experimental_options()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forking", json.dumps(settings)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **request):
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def end(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


_parents = []


def parent():
    """Returns the `Parent` of this process's forks."""
    if not _parents:
        _parents.append(Parent())
    return _parents[0]


def end():
    """Ends this process's `Parent`; another may begin."""
    while _parents:
        _parents.pop().end()


class Forks:
    """Starts processes that call the `main` of a module; a context, at whose end all are gone."""

    def __init__(self, module):
        self._module = module

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory()
        self._begun = []
        return self

    def __exit__(self, *error):
        for fork in self._begun:
            fork.kill()
        self._folder.cleanup()

    def start(self, *arguments, **environment):
        """Returns the `Fork` that calls `main(*arguments)`, with variables of the environment."""
        path = os.path.join(self._folder.name, str(len(self._begun)))
        os.mkfifo(path)
        pid = parent().ask(
            module=self._module, arguments=arguments, environment=environment, output=path
        )
        self._begun.append(Fork(pid, path))
        return self._begun[-1]


class Fork:
    """One process: what it says, its end, and how to bring it about."""

    def __init__(self, pid, path):
        self.pid = pid
        self.returncode = None
        # Both ends of what it prints wait here for each other.
        self.stdout = open(path)  # noqa: SIM115

    def kill(self):
        """Ends it with a signal that nothing can catch, if it has not ended."""
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()

    def wait(self):
        """Returns the rest of what it says; sets `returncode`, of a signal minus its number."""
        said = "" if self.stdout.closed else self.stdout.read()
        self.stdout.close()
        if self.returncode is None:
            self.returncode = parent().ask(wait=self.pid)
        return said


def _serve():
    """Answers requests; returns in each fork, with what it has to do, and at the end with None."""
    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            answer = os.waitstatus_to_exitcode(os.waitpid(asked["wait"], 0)[1])
        else:
            module = importlib.import_module(asked.pop("module"))
            answer = os.fork()
            if not answer:
                return module, asked
        print(json.dumps(answer), flush=True)
    return None


def _live(module, arguments, environment, output):
    """Ends as any process does: with an exception, or a code."""
    os.environ.update(environment)
    said = os.open(output, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(said, descriptor)
    os.close(said)
    module.main(*arguments)


if __name__ == "__main__":
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options(json.loads(sys.argv[1]))
    if fork := _serve():
        _live(fork[0], **fork[1])
