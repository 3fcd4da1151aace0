"""The score of one library, with the targets it has to reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformity.calling import count_client
from conformity.counting import METRICS, RECOMMENDED, REQUIRED, RULES, START
from conformity.serving import count_server

if TYPE_CHECKING:
    from conformity.counting import Score
    from conformity.subjects import Subject

TARGETS = {REQUIRED: 1.0, RECOMMENDED: 0.95, RULES: 1.0, METRICS: 1.0, START: 1.0}


def take(subject: Subject) -> Score:
    return count_server(subject) if subject.side == "server" else count_client(subject)


def below(score: Score) -> list[str]:
    """The columns in which the library does not reach the target."""
    return [column for column, target in TARGETS.items() if score.share(column) < target]
