"""Runs the contract classes of a family by pytest and keeps, by library and rule, what came of each."""

from __future__ import annotations

import os
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_HERE = Path(__file__).parent
_WORST_FIRST = ("NO", "-", "own", "yes")


@dataclass
class Kept:
    """``outcomes``: (contract, library, rule) -> "yes", "own" (passes a rule of its own in its place), "-", "NO".

    ``absent`` are test modules that could not be collected: file -> reason; ``broken`` those of them that should.
    """

    outcomes: dict[tuple[str, str, str], str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    _ours: dict[str, tuple[tuple[str, str, str], bool]] = field(default_factory=dict)

    def contracts(self) -> list[str]:
        return list(dict.fromkeys(contract for contract, _, _ in self.outcomes))

    def count(self, outcome: str) -> int:
        return sum(1 for each in self.outcomes.values() if each == outcome)

    def table(self, contract: str) -> str:
        """Rules are numbered above, a row for each library below."""
        cells = {key[1:]: outcome for key, outcome in self.outcomes.items() if key[0] == contract}
        rules = list(dict.fromkeys(rule for _, rule in cells))
        libraries = list(dict.fromkeys(library for library, _ in cells))
        width = max(map(len, libraries))
        lines = [contract, *(f"  {number:2} {rule}" for number, rule in enumerate(rules, 1)), ""]
        lines.append(" " * width + "".join(f"{number:4}" for number in range(1, len(rules) + 1)))
        rows = [
            f"{name:{width}}" + "".join(f"{cells.get((name, rule), ''):>4}" for rule in rules) for name in libraries
        ]
        return "\n".join([*lines, *rows, ""])

    # called by pytest ---------------------------------------------------------------------------------------------

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leaves the rules of contracts; what a library has to show besides is not asked here."""
        for item in items:
            rule = _rule(item)
            if rule is not None:
                self._ours[item.nodeid] = rule
        items[:] = [item for item in items if item.nodeid in self._ours]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A library that is not installed here is told, and not taken for one that passes."""
        if report.outcome == "passed":
            return
        self.absent[report.nodeid] = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if report.outcome == "failed":
            self.broken.add(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Of a rule with parameters, and of a test's phases, the worst counts."""
        key, own = self._ours[report.nodeid]
        outcome = "NO" if report.failed else "-" if report.skipped else "own" if own else "yes"
        self.outcomes[key] = min(outcome, self.outcomes.get(key, outcome), key=_WORST_FIRST.index)


def folder_of(family: str) -> Path:
    """Where a family's tests are; a path is a family of one's own."""
    return _HERE / family


def passed(family: str) -> Kept:
    """The outcomes of all contract classes of a family."""
    kept = Kept()
    with _silent():
        pytest.main(
            [str(folder_of(family)), "-q", "-p", "no:cacheprovider", "--continue-on-collection-errors"], plugins=[kept]
        )
    return kept


def _rule(item: pytest.Item) -> tuple[tuple[str, str, str], bool] | None:
    """What a test is the rule of, and whether the library has it in words of its own."""
    library: Any = getattr(item, "cls", None)
    name = getattr(item, "originalname", None) or item.name
    for contract in reversed(library.__mro__ if library is not None else ()):
        if contract.__name__.endswith("Contract") and name in vars(contract):
            rule = name.removeprefix("test_").replace("_", " ")
            own = getattr(library, name) is not getattr(contract, name)
            return (contract.__name__, library.__name__.removeprefix("Test"), rule), own
    return None


@contextmanager
def _silent() -> Iterator[None]:
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        yield
