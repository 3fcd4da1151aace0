"""The scores as a table, and below it what is missing, what cannot be known, and what was not there to be counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformity.counting import COLUMNS
from conformity.database_ways import WAYS
from conformity.subjects import database_rows
from conformity.taking import TARGETS, below
from conformity.unknowable import NEVER, UNKNOWABLE

if TYPE_CHECKING:
    from conformity.counting import Score


def print_table(scores: list[Score], absent: dict[str, str]) -> int:
    """1 if a library is below the target, else 0."""
    width = max(len(score.library) for score in scores)
    print(f"{'':{width}}  side    " + "".join(f"{column:>20}" for column in COLUMNS))
    for score in scores:
        cells = (_cell(score, column) for column in COLUMNS)
        print(f"{score.library:{width}}  {score.side}  " + "".join(f"{cell:>20}" for cell in cells))
    print(f"{'target':{width}}          " + "".join(f"{TARGETS[column]:>20.0%}" for column in COLUMNS))
    for score in scores:
        for problem in score.missing:
            print(f"\n{score.library}: {problem}", end="")
    print()
    untold = {way.library: way.untold for way in WAYS}
    for library, attributes in [*UNKNOWABLE.items(), *untold.items()]:
        for key, reason in attributes.items():
            print(f"not counted: {key} of {library}: {reason}")
    for key, reason in NEVER.items():
        print(f"not counted: {key}: {reason}")
    counted = {way.row for way in WAYS}
    for row in database_rows():
        if row.name not in counted:
            print(f"not counted: {row.name}: its own test alone asks it, or a stand-in for its server")
    for module, reason in absent.items():
        print(f"not here: {module}: {reason}")
    return int(any(below(score) for score in scores))


def _cell(score: Score, column: str) -> str:
    met, applicable = score.met[column], score.applicable[column]
    return f"{score.share(column):.0%} ({met}/{applicable})" if applicable else "-"
