"""What a run of the tests costs, and what it may: a report at its end, and in CI a limit."""

import collections
import os

import pytest

# CPU seconds of the default run: user and system, of all its processes, start-up included. They
# are those of a two-core machine with AVX2; a faster one needs fewer.
BUDGET = 1500.0

# Over which CI fails. On one machine test_systems.py cost 208 s at bfc31a0 and 328 s three hours
# later at 693e330. Busy neighbours of the cores and changes of the code were not told apart.
LIMIT = 1.6 * BUDGET

DEAREST = 10


class Budget:
    """Counts the CPU seconds of tests, wherever they run, and of all processes of a run.

    What a process has spent since its last report belongs to the next: so what fixtures cost is
    that of the test which needed them first.
    """

    def __init__(self, config):
        self.config = config
        self.reported = spent()
        self.of_tests = collections.Counter()
        self.of_workers = 0.0

    def pytest_collection_finish(self):
        self.reported = spent()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self):
        report = yield
        now = spent()
        report.cpu_seconds, self.reported = now - self.reported, now
        return report

    def pytest_runtest_logreport(self, report):
        self.of_tests[report.nodeid] += getattr(report, "cpu_seconds", 0.0)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        self.of_workers += getattr(node, "workeroutput", {}).get("cpu_seconds", 0.0)

    def pytest_sessionfinish(self, session):
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput["cpu_seconds"] = spent()
        elif is_ci() and self.is_over(LIMIT) and not session.exitstatus:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @property
    def total(self):
        # A controller's children are the workers, which have told their own.
        return self.of_workers + spent(children=not self.of_workers)

    def is_over(self, seconds):
        """Whether this is the default run, which alone has a budget, and has spent more."""
        config = self.config
        whole = config.args_source is config.ArgsSource.TESTPATHS and not config.option.keyword
        return whole and config.option.markexpr == "not slow" and self.total > seconds

    def pytest_terminal_summary(self, terminalreporter):
        if hasattr(self.config, "workeroutput"):
            return
        of_folders = collections.Counter()
        for name, seconds in self.of_tests.items():
            of_folders["/".join(name.split("::")[0].split("/")[:2])] += seconds
        # Starting those of the tests, and what they start.
        of_folders["processes"] = self.total - sum(of_folders.values())
        terminalreporter.section("CPU seconds")
        for name, seconds in [*of_folders.most_common(), ("in all", self.total)]:
            terminalreporter.line(f"{seconds:8.1f} {seconds / BUDGET:7.1%}  {name}")
        terminalreporter.line(f"The budget of the default run is {BUDGET:.0f}. Dearest tests:")
        for name, seconds in self.of_tests.most_common(DEAREST):
            terminalreporter.line(f"{seconds:8.1f}  {name}")
        if self.is_over(BUDGET):
            terminalreporter.line(f"The run is over it; CI fails over {LIMIT:.0f}.", red=True)


def is_ci():
    """Whether the environment says so, as those of services for it do."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def spent(children=True):
    """CPU seconds, user and system, of this process and of the children that it has waited for."""
    times = os.times()
    own = times.user + times.system
    return own + times.children_user + times.children_system if children else own
