"""Processes that belong together: a server's workers below it, and the parent from which a worker was forked."""

from __future__ import annotations

import json
import os
import re

import psutil

from remora.cli import amounts
from remora.pipeline.health import path_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final

    from remora.cli.doctor.findings import Report

_PYTHON: Final = re.compile(r"(python|pypy)[\d.]*t?$")
_CLOCK_TOLERANCE_S: Final = 5.0
_MOST_SHOWN: Final = 32


def asked(question: Any) -> Any:
    """The operating system's answer; None if it gives none."""
    try:
        return question()
    except (psutil.Error, OSError, AttributeError):
        return None


def is_python(executable: str, command: list[str]) -> bool:
    names = (executable, command[0] if command else "")
    return any(_PYTHON.match(os.path.basename(name)) for name in names)


def below(pid: int) -> list[psutil.Process]:
    """The processes that descend from it. (`Process.children` compares start times, which move with the clock.)"""
    by_parent: dict[int | None, list[psutil.Process]] = {}
    for process in psutil.process_iter():
        by_parent.setdefault(asked(process.ppid), []).append(process)
    found: list[psutil.Process] = []
    parents = [pid]
    while parents:
        children = by_parent.pop(parents.pop(), [])
        found.extend(children)
        parents.extend(child.pid for child in children)
    return found


def pythons_below(pid: int) -> list[psutil.Process]:
    return [one for one in below(pid) if is_python(asked(one.exe) or "", asked(one.cmdline) or [])]


def reported(process: psutil.Process, folders: Sequence[str]) -> dict[str, Any] | None:
    """What the process wrote about itself below one of the stores; not what an earlier one with its number did."""
    started_unix_s = asked(process.create_time) or 0.0
    for folder in folders:
        try:
            with open(path_of(folder, process.pid), encoding="utf-8") as file:
                status = json.load(file)
            if isinstance(status, dict) and float(status["written_unix_s"]) >= started_unix_s - _CLOCK_TOLERANCE_S:
                return status
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def forked_from(process: psutil.Process, folders: Sequence[str]) -> dict[str, Any] | None:
    """The report of the nearest ancestor that runs the same program and reports."""
    same = asked(process.exe), asked(process.cmdline)
    ancestor = asked(process.parent)
    while ancestor is not None and (asked(ancestor.exe), asked(ancestor.cmdline)) == same:
        status = reported(ancestor, folders)
        if status is not None:
            return status
        ancestor = asked(ancestor.parent)
    return None


def tell_below(report: Report, pid: int, folders: Sequence[str]) -> None:
    """Add a section that names the Python processes below, with what each one made."""
    found = pythons_below(pid)
    if not found:
        return
    section = report.section("Below it", amounts.count(len(found), "Python process", "Python processes"))
    told: list[dict[str, Any]] = []
    for child in sorted(found, key=lambda one: one.pid):
        status = reported(child, folders)
        produced = None
        if status is not None:
            produced = int(((status.get("books") or {}).get("traces") or {}).get("produced") or 0)
        told.append({"pid": child.pid, "produced": produced})
        if len(told) <= _MOST_SHOWN:
            words = "no report of its own yet" if produced is None else f"{amounts.count(produced, 'span')} made"
            section.note(f"{child.pid}: {words}; remora doctor {child.pid}")
    if len(found) > _MOST_SHOWN:
        section.note(f"and {len(found) - _MOST_SHOWN} more")
    report.data["below"] = told
