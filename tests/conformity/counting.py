"""Counts how much of what applies is there: (situation, attribute) by (situation, attribute)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformity.registry import BOUNDARIES, duration, levels_of_duration, levels_of_span, name_of_duration
from conformity.situation import ANY

if TYPE_CHECKING:
    from conformity.situation import Expected
    from remora.testing import CollectedPoint, CollectedSpan

REQUIRED, RECOMMENDED, RULES, METRICS = "required", "recommended", "span rules", "metrics"
START = "at the start"  # what the conventions want a sampler to see
COLUMNS = (REQUIRED, RECOMMENDED, RULES, METRICS, START)
# What is conditionally required is required where its condition holds.
COLUMN_OF_LEVEL = {"required": REQUIRED, "conditionally_required": REQUIRED, "recommended": RECOMMENDED}


@dataclass
class Score:
    """``applicable`` and ``met`` count by column; ``missing`` says what is not as it should be and in which situation.

    ``told_after_all`` are attributes that are said to be unknowable and are there.
    """

    library: str
    side: str
    applicable: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    told_after_all: set[str] = field(default_factory=set)

    def share(self, column: str) -> float:
        """From 0 to 1; what nothing applies to is 1."""
        return self.met[column] / self.applicable[column] if self.applicable[column] else 1.0

    def check(self, column: str, holds: bool, otherwise: str) -> None:
        self.applicable[column] += 1
        self.met[column] += holds
        if not holds:
            self.missing.append(f"{column}: {otherwise}")


def count_span(score: Score, expected: Expected, span: CollectedSpan) -> None:
    """Attributes by their requirement level; name, kind, status and what must not be there by the rules."""
    where = f"in {expected.situation!r}"
    for key, level in levels_of_span(score.side).items():
        if key in expected.attributes:
            wanted, found = expected.attributes[key], span.attributes.get(key)
            right = found is not None and (wanted is ANY or wanted == found)
            score.check(COLUMN_OF_LEVEL[level], right, f"{key} is {found!r} instead of {wanted!r} {where}")
            score.seen.add(key)
        elif key in expected.untold:
            score.seen.add(key)
            if key in span.attributes:
                score.told_after_all.add(key)
        elif key not in expected.may_be:
            score.check(RULES, key not in span.attributes, f"{key} is {span.attributes.get(key)!r} {where}")
    route = span.attributes.get("http.route")
    name = f"{expected.name} {route}" if route else expected.name
    score.check(RULES, span.name == name, f"the name is {span.name!r} instead of {name!r} {where}")
    score.check(RULES, span.kind == score.side.upper(), f"the kind is {span.kind} {where}")
    score.check(RULES, span.status == expected.status, f"the status is {span.status} {where}")


def count_duration(score: Score, expected: Expected, points: list[CollectedPoint]) -> None:
    """The one point that has what the metric shares with the span; its attributes, unit and boundaries."""
    where = f"in {expected.situation!r}"
    known = levels_of_duration(score.side)
    wanted = {key: value for key, value in expected.attributes.items() if key in known}
    name = name_of_duration(score.side)
    matching = [point for point in points if point.name == name and _agree(wanted, point.attributes)]
    score.check(METRICS, len(matching) == 1, f"no point of {name} has {wanted!r} {where}, but {points!r}")
    if len(matching) != 1:
        return
    (point,) = matching
    row = duration(score.side)
    for key in known:
        right = (key in wanted) == (key in point.attributes) or key in expected.untold
        score.check(METRICS, right, f"{key} is {point.attributes.get(key)!r} {where}")
    opt_in = set(point.attributes) - set(known)
    score.check(METRICS, not opt_in, f"{opt_in!r} are there without having been asked for {where}")
    score.check(METRICS, point.unit == row["unit"], f"the unit is {point.unit!r}")
    score.check(METRICS, point.kind == row["instrument"], f"the instrument is {point.kind!r}")
    score.check(METRICS, point.boundaries == BOUNDARIES, f"the boundaries are {point.boundaries!r}")


def _agree(wanted: dict[str, Any], found: dict[str, Any]) -> bool:
    return all(key in found and (value is ANY or value == found[key]) for key, value in wanted.items())
