"""`remora plugins`: what can be instrumented here, and whether it will be."""

from __future__ import annotations

import argparse
import json
import os

from remora import diagnostics, settings
from remora.cli import catalogue
from remora.cli.terminal import Terminal, clean
from remora.host import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from remora.cli.catalogue import Catalogue, Item

_OURS = "remora"
_STYLES = {
    catalogue.ON: "green",
    catalogue.ON_UNTESTED: "yellow",
    catalogue.REFUSED_VERSION: "red",
    catalogue.OFF: "yellow",
    catalogue.NOT_INSTALLED: "dim",
}
_WIDE = 100


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="remora plugins", description="List what can be instrumented here, and whether it will be."
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args(argv)
    diagnostics.listen_from("none")  # what is wrong is in the list
    found = catalogue.survey(settings.load(os.environ).settings)
    if asked.json:
        document = {"plugins": [item.as_dict() for item in found.items], "problems": found.problems}
        print(json.dumps(document, indent=2))
        return 0
    _print(found, Terminal())
    return 0


def _print(found: Catalogue, terminal: Terminal) -> None:
    name_columns = max((len(item.name) for item in found.items), default=0)
    library_columns = max((len(item.library) for item in found.items), default=0)
    for title, items in _groups(found.items):
        terminal.line((title, "bold cyan"))
        for item in items:
            _row(item, terminal, name_columns, library_columns)
        terminal.line()
    for problem in found.problems:
        terminal.line(("✗ ", "bold red"), clean(problem), cut=False)
    if found.problems:
        terminal.line()
    on = sum(item.state in (catalogue.ON, catalogue.ON_UNTESTED) for item in found.items)
    terminal.line((f"{on} of {len(found.items)} on. A plugin costs nothing until its library is imported.", "dim"))


def _row(item: Item, terminal: Terminal, name_columns: int, library_columns: int) -> None:
    words = [item.state]
    if item.reason:
        words.append(f": {clean(item.reason)}")
    if item.distribution != _OURS and item.kind != rows.GUEST:
        words.append(f" (from {clean(item.distribution)})")
    absent = item.state == catalogue.NOT_INSTALLED
    supports = ""
    if absent or terminal.width >= _WIDE:
        supports = f"  {' or '.join(item.supports)}"
    terminal.line(
        f"  {clean(item.name):<{name_columns}}  ",
        (f"{clean(item.library):<{library_columns}}  ", "bold"),
        (f"{''.join(words):<{len(catalogue.NOT_INSTALLED)}}", _STYLES[item.state]),
        (supports, "dim"),
        cut=False,
    )


def _groups(items: Sequence[Item]) -> list[tuple[str, list[Item]]]:
    """By what the calls mean; guests and producers after the plugins."""
    groups: dict[str, list[Item]] = {}
    for item in items:
        if item.kind == rows.PLUGIN:
            title = item.convention or "other"
        elif item.kind == rows.GUEST:
            title = "OpenTelemetry instrumentors, riding as guests"
        else:
            title = f"producers of {item.signal}"
        groups.setdefault(title, []).append(item)
    return list(groups.items())
