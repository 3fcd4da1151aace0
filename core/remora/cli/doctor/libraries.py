"""The libraries in a process's report: what is traced, and why the others are not."""

from __future__ import annotations

from remora.cli import amounts
from remora.host import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from remora.cli.doctor.findings import Report, Section

ARMED: Final = (rows.PATCHED, rows.UNTESTED, rows.RUNNING)
BROKEN: Final = (rows.FAILED, rows.QUARANTINED)


def tell_libraries(report: Report, status: dict[str, Any]) -> None:
    """Add a section with a line for each; those that are not imported share one, and so do those not installed."""
    library_rows: list[dict[str, Any]] = list(status.get("libraries") or ())
    armed = sum(row.get("state") in ARMED for row in library_rows)
    section = report.section("Libraries", f"{armed} traced")
    absent = []
    unused = []
    for row in sorted(library_rows, key=lambda row: row.get("state") not in ARMED):
        reason = str(row.get("reason") or "")
        if row.get("state") == rows.WAITING and reason.endswith("is not installed"):
            absent.append(str(row.get("name")))
        elif row.get("state") == rows.WAITING:
            unused.append(_named(row))
        else:
            _library(section, row, reason)
    if unused:
        section.note(f"not imported by the program: {', '.join(unused)}")
    if absent:
        section.note(f"not installed: {', '.join(absent)}")


def _library(section: Section, row: dict[str, Any], reason: str) -> None:
    state = row.get("state")
    name = _named(row)
    faults = ""
    if row.get("faults"):
        faults = f"; {amounts.count(row['faults'], 'fault')}, the last: {row.get('last_fault')}"
    if state in BROKEN:
        section.problem(f"{name}: taken out, {reason}; upgrade or disable the plugin ({row.get('source')})")
    elif state == rows.REFUSED:
        section.problem(f"{name}: refused, {reason}; upgrade the library, or disable the plugin to have this settled")
    elif state == rows.UNTESTED:
        section.note(f"{name}: traced, untested: {reason}{faults}")
    elif state in ARMED and faults:
        section.problem(f"{name}: traced, with {faults[2:]}")
    elif state in ARMED:
        section.good(f"{name}: traced")
    elif state == rows.DISABLED:
        imported = ", and the program imports it" if row.get("imported") else ""
        section.note(f"{name}: off, {reason}{imported}")
    else:
        section.note(f"{name}: {state}{', ' + reason if reason else ''}")


def _named(row: dict[str, Any]) -> str:
    return f"{row.get('name')} {row.get('version') or ''}".rstrip()
