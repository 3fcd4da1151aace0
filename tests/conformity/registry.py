"""What the published conventions ask of the two HTTP spans and their duration metrics, read from the registry."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from support.tree import REPOSITORY

FILE = REPOSITORY.parent / "shared" / "data" / "semconv-registry-1.44.0.json"
COUNTED = ("required", "conditionally_required", "recommended")
SIDES = ("server", "client")
# The registry holds no boundaries; the text of the conventions does (HTTP metrics, ExplicitBucketBoundaries).
BOUNDARIES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)


@cache
def registry() -> Any:
    return json.loads(FILE.read_text())


def levels_of_span(side: str) -> dict[str, str]:
    """Attribute -> requirement level, of what is not opt-in."""
    return _levels(registry()["spans"][f"http.{side}"])


def levels_of_duration(side: str) -> dict[str, str]:
    return _levels(duration(side))


def duration(side: str) -> Any:
    """The metric ``http.<side>.request.duration`` as the registry has it."""
    return registry()["metrics"][name_of_duration(side)]


def name_of_duration(side: str) -> str:
    return f"http.{side}.request.duration"


def _levels(signal: Any) -> dict[str, str]:
    rows = signal["attributes"].items()
    return {name: row["requirement_level"] for name, row in rows if row["requirement_level"] in COUNTED}
