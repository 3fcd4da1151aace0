"""The libraries' own test suites come out the same under `remora run` as without, while Remora is really at work."""

from __future__ import annotations

import pytest

from hosts.comparing import Comparison, compare
from hosts.preparing import UnpreparedError, prepare
from hosts.suites import IN_EVERY_RUN, Suite
from support.servers import missing


@pytest.mark.hosts
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("suite", IN_EVERY_RUN, ids=lambda suite: suite.name)
def test_a_library_passes_its_own_tests_with_remora_as_it_does_without(suite: Suite) -> None:
    try:
        prepared = prepare(suite)
    except UnpreparedError as fault:
        missing(f"{suite.library} and its tests cannot be installed: {fault}")
        return
    comparison = compare(prepared)
    print(comparison.summary())
    _tells_something(comparison)
    _rode(suite, comparison)
    assert [str(one) for one in comparison.differences] == []
    assert not comparison.exit_codes_differ


def _tells_something(comparison: Comparison) -> None:
    """Where the library's tests fail by themselves there is nothing to compare."""
    plain = comparison.plain[0]
    ran = len(plain.outcomes) - plain.count("skipped")
    assert plain.count("passed") > 0.9 * ran > 100, plain.output[-4000:]


def _rode(suite: Suite, comparison: Comparison) -> None:
    """Remora was in pytest's process to its end, patched what the suite is about, and lost nothing."""
    for one in comparison.ridden:
        assert one.status is not None, one.output[-4000:]
        states = one.state_of_libraries
        assert {name: states.get(name) for name in suite.patched} == dict.fromkeys(suite.patched, "patched")
        assert suite.doubles or one.faults == {}
        if suite.spans:
            assert one.books["produced"] >= suite.spans
            assert one.books["balanced"]
            assert one.books["dropped"] == {}
            assert one.books["queued"] == 0
