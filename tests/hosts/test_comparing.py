"""Comparing runs tells what Remora changed from tests that are flaky by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from hosts import comparing
from hosts.comparing import Comparison
from hosts.preparing import Prepared
from hosts.running import Run, read_junit
from hosts.suites import FLASK

_JUNIT = """
<testsuites><testsuite name="pytest">
<testcase classname="tests.test_a" name="test_good" />
<testcase classname="tests.test_a.TestB" name="test_bad[/tmp/x/a.py]"><failure message="no">why</failure></testcase>
<testcase classname="tests.test_a" name="test_untidy" />
<testcase classname="tests.test_a" name="test_untidy"><error message="failed on teardown">x</error></testcase>
<testcase classname="tests.test_a" name="test_left"><skipped type="pytest.skip" message="r">x</skipped></testcase>
<testcase classname="tests.test_a" name="test_known"><skipped type="pytest.xfail" message="" /></testcase>
<testcase classname="" name="tests.test_b"><error message="collection failure">x</error></testcase>
</testsuite></testsuites>
"""


def _runs(*outcomes: str, exit_code: int | None = 0) -> tuple[Run, ...]:
    return tuple(Run({"test": one} if one else {}, exit_code=exit_code) for one in outcomes)


def test_what_pytest_reports_is_read_test_by_test() -> None:
    read = Run()
    read_junit(_JUNIT, Path("/tmp/x"), read)
    assert read.outcomes == {
        "tests.test_a::test_good": "passed",
        "tests.test_a.TestB::test_bad[SOURCE/a.py]": "failed",
        "tests.test_a::test_untidy": "error+passed",
        "tests.test_a::test_left": "skipped",
        "tests.test_a::test_known": "xfailed",
        "tests.test_b": "error",
    }
    assert read.details["tests.test_a.TestB::test_bad[SOURCE/a.py]"] == "no\nwhy"


@pytest.mark.parametrize(
    ("plain", "ridden"),
    [
        (("passed",) * 3, ("failed",) * 3),
        (("passed",) * 3, ("failed", "passed", "failed")),
        (("passed",) * 3, ("",) * 3),
        (("xfailed",) * 3, ("passed",) * 3),
        (("passed", "failed", "passed"), ("error",) * 3),
    ],
)
def test_what_only_happens_under_remora_is_a_difference(plain: tuple[str, ...], ridden: tuple[str, ...]) -> None:
    comparison = Comparison(_runs(*plain), _runs(*ridden))
    assert [one.test for one in comparison.differences] == ["test"]
    assert "DIFFERS test" in comparison.summary()


@pytest.mark.parametrize(
    ("plain", "ridden"),
    [
        (("passed", "failed", "passed"), ("failed",) * 3),
        (("passed",) * 3, ("failed", "passed", "passed")),
    ],
)
def test_what_happens_without_remora_too_or_once_is_flaky_and_told(
    plain: tuple[str, ...], ridden: tuple[str, ...]
) -> None:
    comparison = Comparison(_runs(*plain), _runs(*ridden))
    assert comparison.differences == []
    assert "flaky test" in comparison.summary()


def test_a_single_crash_under_remora_is_a_difference() -> None:
    ridden = (*_runs("passed", "passed"), *_runs("", exit_code=-11))
    assert Comparison(_runs("passed", "passed", "passed"), ridden).exit_codes_differ


def test_an_end_that_only_happens_under_remora_is_a_difference() -> None:
    comparison = Comparison(_runs("passed"), _runs("passed", exit_code=3))
    assert comparison.exit_codes_differ
    assert not comparison.same


@pytest.mark.parametrize(
    ("plain", "ridden", "nothing"),
    [
        (_runs("passed"), _runs("passed"), False),
        (_runs("", exit_code=None), _runs("", exit_code=None), True),
        (_runs("passed"), _runs("passed", exit_code=None), True),
        (_runs(""), _runs(""), True),
    ],
)
def test_runs_that_never_ended_or_had_no_tests_are_no_comparison(
    plain: tuple[Run, ...], ridden: tuple[Run, ...], nothing: bool
) -> None:
    assert Comparison(plain, ridden).tells_nothing is nothing


@pytest.mark.parametrize(("outcome", "pairs"), [("passed", 1), ("failed", comparing.PAIRS)])
def test_runs_are_repeated_only_where_they_differ(outcome: str, pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "run", lambda _, ridden, options: _runs(outcome if ridden else "passed")[0])
    comparison = comparing.compare(Prepared(FLASK, "1", Path("sdist"), Path("bin")))
    assert (len(comparison.plain), len(comparison.ridden)) == (pairs, pairs)
