"""The report of what a run of the tests costs, and when CI fails."""

import types

import pytest

from tests import budget


def budget_of(seconds, arguments="TESTPATHS", keyword="", marks="not slow"):
    """The budget of a run whose two workers have spent some CPU seconds each, half of `seconds`."""
    config = types.SimpleNamespace(
        ArgsSource=pytest.Config.ArgsSource,
        args_source=pytest.Config.ArgsSource[arguments],
        option=types.SimpleNamespace(keyword=keyword, markexpr=marks),
    )
    counted = budget.Budget(config)
    for _ in range(2):
        node = types.SimpleNamespace(workeroutput={"cpu_seconds": seconds / 2})
        counted.pytest_testnodedown(node)
    counted.pytest_testnodedown(types.SimpleNamespace())  # One that has crashed.
    return counted


def exit_status(counted, before=pytest.ExitCode.OK):
    session = types.SimpleNamespace(exitstatus=before)
    counted.pytest_sessionfinish(session)
    return session.exitstatus


def test_ci_fails_over_the_limit_and_nobody_else_does(monkeypatch):
    monkeypatch.setenv("CI", "true")
    assert exit_status(budget_of(budget.LIMIT + 1.0)) == pytest.ExitCode.TESTS_FAILED
    assert exit_status(budget_of(budget.BUDGET + 1.0)) == pytest.ExitCode.OK
    interrupted = exit_status(budget_of(budget.LIMIT + 1.0), pytest.ExitCode.INTERRUPTED)
    assert interrupted == pytest.ExitCode.INTERRUPTED
    monkeypatch.setenv("CI", "false")
    assert exit_status(budget_of(budget.LIMIT + 1.0)) == pytest.ExitCode.OK
    monkeypatch.delenv("CI")
    assert exit_status(budget_of(budget.LIMIT + 1.0)) == pytest.ExitCode.OK


@pytest.mark.parametrize(
    "other", [{"arguments": "ARGS"}, {"keyword": "gan"}, {"marks": "slow"}, {"marks": ""}]
)
def test_other_runs_have_no_budget(other):
    assert budget_of(budget.BUDGET + 1.0).is_over(budget.BUDGET)
    assert not budget_of(budget.BUDGET + 1.0, **other).is_over(budget.BUDGET)


def test_seconds_are_counted_by_folder(monkeypatch):
    seconds = iter([10.0, 12.0, 15.0])
    monkeypatch.setattr(budget, "spent", lambda children=True: next(seconds, 1.0))
    counted, lines = budget_of(100.0), []
    for name in ("tests/models/test_a.py::test_a", "tests/models/test_b.py::test_b"):
        report = types.SimpleNamespace(nodeid=name)
        wrapper = counted.pytest_runtest_makereport()
        next(wrapper)
        with pytest.raises(StopIteration):
            wrapper.send(report)
        counted.pytest_runtest_logreport(report)
    counted.pytest_terminal_summary(
        types.SimpleNamespace(section=lines.append, line=lambda text, **_: lines.append(text))
    )
    assert [line.split() for line in lines[1:4]] == [
        ["96.0", "6.4%", "processes"],  # 100 of the workers, 1 of this process, 5 of tests.
        ["5.0", "0.3%", "tests/models"],
        ["101.0", "6.7%", "in", "all"],
    ]
    assert [line.split()[0] for line in lines[5:]] == ["3.0", "2.0"]
