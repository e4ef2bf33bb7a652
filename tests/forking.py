"""Processes that tests start and kill, as forks of one that has imported TensorFlow for all.

    python -m tests.forking <module>

It imports the module, whose `main(*arguments)` is what each fork calls, and computes nothing
itself: TensorFlow's threads, which no fork has, start with the first computation.
"""

import importlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import traceback

ROOT = pathlib.Path(__file__).parents[1]


class Forks:
    """Starts processes that call the `main` of a module; a context, at whose end all are gone."""

    def __init__(self, module):
        self._module = module

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory()
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "tests.forking", self._module],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._begun = []
        return self

    def __exit__(self, *error):
        for fork in self._begun:
            fork.kill()
        self._parent.stdin.close()
        self._parent.wait()
        self._parent.stdout.close()
        self._folder.cleanup()

    def start(self, *arguments, **environment):
        """Returns the `Fork` that calls `main(*arguments)`, with variables of the environment."""
        path = os.path.join(self._folder.name, str(len(self._begun)))
        os.mkfifo(path)
        pid = self.ask(arguments=arguments, environment=environment, output=path)
        self._begun.append(Fork(self, pid, path))
        return self._begun[-1]

    def ask(self, **request):
        print(json.dumps(request), file=self._parent.stdin, flush=True)
        return json.loads(self._parent.stdout.readline())


class Fork:
    """One process: what it says, its end, and how to bring it about."""

    def __init__(self, forks, pid, path):
        self._forks, self.pid = forks, pid
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
            self.returncode = self._forks.ask(wait=self.pid)
        return said


def _serve(module):
    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            answer = os.waitstatus_to_exitcode(os.waitpid(asked["wait"], 0)[1])
        else:
            answer = os.fork()
            if not answer:
                _live(module, **asked)
        print(json.dumps(answer), flush=True)


def _live(module, arguments, environment, output):
    code = 1
    try:
        os.environ.update(environment)
        said = os.open(output, os.O_WRONLY)
        for descriptor in (1, 2):
            os.dup2(said, descriptor)
        os.close(said)
        module.main(*arguments)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve(importlib.import_module(sys.argv[1]))
