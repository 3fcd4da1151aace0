"""Does a suite come out the same with Remora as without? Tests that differ get more runs before anything is said."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hosts.running import Run, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hosts.preparing import Prepared

PAIRS = 3
_ABSENT = "absent"
_SOME_TEST_FAILED_OR_NONE = {0, 1}
_MOST_LINES = 40
_LONGEST_OUTPUT = 4000


@dataclass(frozen=True)
class Difference:
    """A test and what became of it in each run, in order. ``flaky``: it is as likely the test's doing as ours."""

    test: str
    plain: tuple[str, ...]
    ridden: tuple[str, ...]
    flaky: bool
    detail: str = ""

    def __str__(self) -> str:
        words = f"{self.test}: plain {', '.join(self.plain)}; under Remora {', '.join(self.ridden)}"
        return f"{words}\n{self.detail}".rstrip()


@dataclass(frozen=True)
class Comparison:
    """Runs in pairs: one pair where nothing differs, ``PAIRS`` where something does."""

    plain: Sequence[Run]
    ridden: Sequence[Run]

    @property
    def tests(self) -> list[Difference]:
        """Every test that ever differed between two runs, of either kind."""
        runs = [*self.plain, *self.ridden]
        names = sorted({test for one in runs for test in one.outcomes})
        found = []
        for test in names:
            plain = tuple(one.outcomes.get(test, _ABSENT) for one in self.plain)
            ridden = tuple(one.outcomes.get(test, _ABSENT) for one in self.ridden)
            if len({*plain, *ridden}) > 1:
                details = [one.details[test] for one in self.ridden if test in one.details]
                # Only where a plain run never ends like that is it ours, and one run of three can be an accident.
                unheard = sum(1 for outcome in ridden if outcome not in plain)
                found.append(Difference(test, plain, ridden, unheard < 2 <= len(ridden), "\n".join(details[:1])))
        return found

    @property
    def differences(self) -> list[Difference]:
        """What Remora changed."""
        return [one for one in self.tests if not one.flaky]

    @property
    def flaky(self) -> list[Difference]:
        """Tests that differ without Remora too, or only once under it."""
        return [one for one in self.tests if one.flaky]

    @property
    def same(self) -> bool:
        """Nothing differed, not even a flaky test."""
        return not self.tests and not self.exit_codes_differ

    @property
    def exit_codes_differ(self) -> bool:
        """Whether pytest never ended under Remora as it did without, or crashed or hung only there, be it once."""
        plain, ridden = {one.exit_code for one in self.plain}, {one.exit_code for one in self.ridden}
        return not plain & ridden or bool(ridden - plain - _SOME_TEST_FAILED_OR_NONE)

    @property
    def tells_nothing(self) -> bool:
        """Whether a run had to be ended, or had no test: then nothing differs, and nothing was compared."""
        return any(one.exit_code is None or not one.outcomes for one in (*self.plain, *self.ridden))

    def summary(self) -> str:
        """One line for each run, how an unusual one ended, and each test that differed."""
        lines = [_line("plain", one) for one in self.plain] + [_line("ridden", one) for one in self.ridden]
        as_usual = {one.exit_code for one in self.plain}
        lines += [one.output[-_LONGEST_OUTPUT:] for one in self.ridden if one.exit_code not in as_usual][:1]
        found = [f"DIFFERS {one}" for one in self.differences] + [f"flaky {one}" for one in self.flaky]
        more = [f"... and {len(found) - _MOST_LINES} more"] if len(found) > _MOST_LINES else []
        return "\n".join([*lines, *found[:_MOST_LINES], *more])


def compare(prepared: Prepared, options: tuple[str, ...] = ()) -> Comparison:
    """Run the suite by itself and under Remora; again where that differs, to tell a flaky test from a difference.

    The two of a pair run beside each other where they can: what these suites do most is to wait.
    """
    comparison = Comparison((), ())
    with ThreadPoolExecutor(1 if prepared.suite.alone else 2) as both:
        while len(comparison.plain) < PAIRS:
            plain = both.submit(run, prepared, ridden=False, options=options)
            ridden = both.submit(run, prepared, ridden=True, options=options)
            comparison = Comparison((*comparison.plain, plain.result()), (*comparison.ridden, ridden.result()))
            if comparison.same:
                break
    return comparison


def _line(how: str, one: Run) -> str:
    names = sorted(set(one.outcomes.values()))
    counted = ", ".join(f"{one.count(name)} {name}" for name in names) or f"no test ran:\n{one.output[-2000:]}"
    return f"{how}: {counted} in {one.duration_s:.1f} s, exit code {one.exit_code} {one.books or ''}"
