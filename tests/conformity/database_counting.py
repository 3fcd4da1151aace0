"""Counts what the span and the duration of each call of a database's client tell, as is done for HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformity.counting import COLUMN_OF_LEVEL, METRICS, RULES, START, Score
from conformity.database_ways import LATER
from conformity.registry import COUNTED, registry
from remora import bootstrap
from remora.testing import collect

if TYPE_CHECKING:
    from conformity.database_ways import Told, Way
    from remora.testing import CollectedPoint, CollectedSpan

DURATION = "db.client.operation.duration"
# The registry holds no boundaries; the text of the conventions does (database client metrics).
BOUNDARIES = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)
# Systems without a convention of their own; that of SQL is what sqlite has.
_SPANS = {"sqlite": "db.sql.client", "valkey": "db.redis.client"}
_ANY = "db.client"


def rows_of(system: str) -> dict[str, dict[str, Any]]:
    """Attribute -> its row, of the convention of the system, with what that one takes as said."""
    spans = registry()["spans"]
    general = spans[_ANY]["attributes"]
    own = spans.get(_SPANS.get(system, f"db.{system}.client"))
    found = general if own is None else {"db.system.name": general["db.system.name"], **own["attributes"]}
    return {key: row for key, row in found.items() if row["requirement_level"] in COUNTED}


def count_database(way: Way) -> Score:
    """Asks by the library, one situation after the other."""
    score = Score(way.library, "client")
    with collect() as spans:
        begun: list[dict[str, Any]] = []
        engine = bootstrap.agent().assembly.engine  # type: ignore[union-attr]
        before = engine.root_mode, engine.sampler

        def sampler(_: object, __: object, attributes: dict[str, Any], ___: object) -> tuple[object, ...]:
            begun.append(dict(attributes))
            return True, True, attributes, ""

        engine.root_mode, engine.sampler = 3, sampler
        try:
            for told in way.open():
                spans.clear()
                begun.clear()
                told.call()
                found = spans.of_kind("CLIENT")
                score.check(RULES, len(found) == 1, f"{len(found)} CLIENT spans in {told.situation!r}")
                seen = [one for one in begun if "db.system.name" in one]
                if len(found) == len(seen) == 1:
                    _count(score, way, told, found[0], seen[0], spans.metrics)
        finally:
            engine.root_mode, engine.sampler = before
    return score


def _count(
    score: Score,
    way: Way,
    told: Told,
    span: CollectedSpan,
    begun: dict[str, Any],
    points: list[CollectedPoint],
) -> None:
    where = f"in {told.situation!r}"
    expected = {"db.system.name": way.system, **told.attributes}
    expected = {key: value for key, value in expected.items() if key not in way.untold}
    for key, row in rows_of(way.system).items():
        found = span.attributes.get(key)
        if key in expected:
            right = found == expected[key]
            otherwise = f"{key} is {found!r} instead of {expected[key]!r} {where}"
            score.check(COLUMN_OF_LEVEL[row["requirement_level"]], right, otherwise)
            score.seen.add(key)
            if row.get("sampling_relevant") and key not in LATER.get(way.system, ()):
                score.check(START, begun.get(key) == found, f"{key} is {begun.get(key)!r} for the sampler {where}")
        elif key in way.untold:
            if found is not None:
                score.told_after_all.add(key)
        else:
            score.check(RULES, found is None, f"{key} is {found!r} {where}")
    score.check(RULES, span.name == told.name, f"the name is {span.name!r} instead of {told.name!r} {where}")
    score.check(RULES, span.status == told.status, f"the status is {span.status} {where}")
    _count_duration(score, expected, where, points)


def _count_duration(score: Score, expected: dict[str, Any], where: str, points: list[CollectedPoint]) -> None:
    """The one point with what the metric shares with the span; its attributes, unit and boundaries."""
    metric = registry()["metrics"][DURATION]
    levels = {key: row["requirement_level"] for key, row in metric["attributes"].items()}
    known = {key for key, level in levels.items() if level in COUNTED}
    wanted = {key: value for key, value in expected.items() if key in known}
    matching = [point for point in points if point.name == DURATION and point.attributes == wanted]
    score.check(METRICS, len(matching) == 1, f"no point has {wanted!r} {where}, but {points!r}")
    for point in matching:
        score.check(METRICS, point.unit == metric["unit"], f"the unit is {point.unit!r}")
        score.check(METRICS, point.kind == metric["instrument"], f"the instrument is {point.kind!r}")
        score.check(METRICS, point.boundaries == BOUNDARIES, f"the boundaries are {point.boundaries!r}")
