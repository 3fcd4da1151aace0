"""`remora env`: every variable, its value now, and where that comes from."""

from __future__ import annotations

import argparse
import json
import os
import sys

from remora import settings
from remora.cli.terminal import Terminal
from remora.settings.loading import DEFAULT, ENVIRONMENT
from remora.settings.showing import describe
from remora.settings.unread import unread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from remora.settings.showing import Row

_SIGNAL_PREFIXES = tuple(f"OTEL_EXPORTER_OTLP_{signal}_" for signal in ("TRACES", "METRICS", "LOGS"))
_DOC_FROM_WIDTH = 130
_PIPED_COLUMNS = 80
_VALUE_COLUMNS = 24
_CONTINUED = " " * 6
_UNSET = "-"

# In the order of the list: title, and how the names in the group start or end. What fits nowhere is general.
_GROUPS = (
    ("General", ("REMORA_ENABLED",), ()),
    ("Delivery", ("OTEL_EXPORTER_OTLP_", "REMORA_STORE_"), ()),
    ("Batching", ("OTEL_BSP_", "OTEL_BLRP_", "REMORA_QUEUE_", "REMORA_EXIT_"), ()),
    ("Limits", (), ("_LIMIT",)),
    ("Instrumentations", ("REMORA_", "OTEL_PYTHON_DISABLED_"), ()),
)


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="remora env", description="List every variable, its value now, and where that comes from."
    )
    parser.add_argument("--all", action="store_true", help="also those for one signal that only follow the general one")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args(argv)
    rows = describe(os.environ)
    problems = settings.load(os.environ).problems
    notes = [note for note in [unread(os.environ)] if note]
    if asked.json:
        print(json.dumps({**_as_dict(rows, problems), "notes": notes}, indent=2))
        return 0
    terminal = Terminal()
    _print(rows, problems, terminal, everything=asked.all)
    for note in notes:
        terminal.line(("· ", "yellow"), note, cut=False)
    return 0


def _as_dict(rows: Sequence[Row], problems: Sequence[str]) -> dict[str, object]:
    return {
        "variables": [
            {
                "name": row.name,
                "value": row.value,
                "default": row.default,
                "origin": row.origin,
                "doc": row.doc,
                "problem": _problem(row, problems),
            }
            for row in rows
        ],
        "problems": list(problems),
    }


def _print(rows: Sequence[Row], problems: Sequence[str], terminal: Terminal, *, everything: bool) -> None:
    shown = [row for row in rows if everything or not _follows(row) or _problem(row, problems)]
    columns = max(len(row.name) for row in shown)
    if _width(terminal) < _DOC_FROM_WIDTH:
        columns = min(columns, _width(terminal) - _VALUE_COLUMNS - len("default") - 6)
    for title, _, _ in _GROUPS:
        terminal.line((title, "bold cyan"))
        for row in shown:
            if _group(row) == title:
                _row(row, terminal, columns, faulty=_problem(row, problems) is not None)
        terminal.line()
    hidden = len(rows) - len(shown)
    if hidden:
        terminal.line((f"{hidden} more follow OTEL_EXPORTER_OTLP_* for one signal each: remora env --all", "dim"))
    if _width(terminal) < _DOC_FROM_WIDTH:
        terminal.line((f"- is not set. What each one means: {_DOC_FROM_WIDTH} columns, or remora env --json", "dim"))
    for problem in problems:
        terminal.line(("! ", "bold yellow"), problem, cut=False)


def _row(row: Row, terminal: Terminal, columns: int, *, faulty: bool) -> None:
    origin = {ENVIRONMENT: "set", DEFAULT: "default"}.get(row.origin, f"from {row.origin}")
    style = {ENVIRONMENT: "bold green", DEFAULT: "dim"}.get(row.origin, "green")
    width = _width(terminal)
    line: list[tuple[str, str]] = [
        ("! " if faulty else "  ", "bold yellow"),
        (row.name, "bold yellow" if faulty else "" if row.origin == DEFAULT else "bold"),
    ]
    taken = 2 + len(row.name)
    for text, column in ((row.value or _UNSET, columns + 4), (origin, columns + _VALUE_COLUMNS + 6)):
        gap = max(column - taken, 2)
        if taken + gap + len(text) > width:
            terminal.line(*line, cut=False)
            line, taken, gap = [], 0, len(_CONTINUED)
        line += [(" " * gap, ""), (text, style)]
        taken += gap + len(text)
    if width >= _DOC_FROM_WIDTH:
        gap = max(columns + _VALUE_COLUMNS + 15 - taken, 2)
        line += [(" " * gap, ""), (row.doc, "dim")]
    terminal.line(*line, cut=False)


def _width(terminal: Terminal) -> int:
    """The terminal's; into a pipe 80, for what comes after it is often one of that width."""
    given = sys.stdout.isatty() or "COLUMNS" in os.environ
    return terminal.width if given else min(terminal.width, _PIPED_COLUMNS)


def _group(row: Row) -> str:
    fitting = (title for title, starts, ends in _GROUPS if row.name.startswith(starts) or row.name.endswith(ends))
    return next(fitting, _GROUPS[0][0])


def _follows(row: Row) -> bool:
    """Whether the row is of one signal and says what the general one says."""
    if row.origin == ENVIRONMENT or row.name.endswith("_TRACES_ENDPOINT"):
        return False
    return row.name.startswith(_SIGNAL_PREFIXES)


def _problem(row: Row, problems: Sequence[str]) -> str | None:
    return next((problem for problem in problems if problem.startswith(f"{row.name}:")), None)
