"""Why a process does not report: told from what the operating system knows about it."""

from __future__ import annotations

import os
import re

from remora import settings
from remora.cli import launching
from remora.cli.doctor.family import asked, is_python

TYPE_CHECKING = False
if TYPE_CHECKING:
    import psutil

    from remora.cli.doctor.findings import Report, Section

_REMORA_IN_MEMORY = re.compile(r"/remora/.+\.so$")


def explain(report: Report, process: psutil.Process, environ: dict[str, str] | None, paths: list[str]) -> None:
    """Add sections on ``process``; ``environ`` is what it was started with, ``paths`` where its report would be."""
    command = asked(process.cmdline) or []
    executable = asked(process.exe) or ""
    section = report.section("Process", f"{process.pid}, {' '.join(command) or asked(process.name) or ''}")
    report.data.update(command=command, executable=executable or None)
    if environ is None:
        owner = asked(process.username) or "another user"
        section.problem(f"it belongs to {owner}, not to you: run remora doctor as {owner} or as root", urgent=True)
    elif not is_python(executable, command):
        _not_python(section, executable)
    else:
        _not_reporting(section, process, command, executable, environ, paths)


def _not_python(section: Section, executable: str) -> None:
    section.problem(f"it is no Python but {executable or 'something else'}: Remora traces Python only", urgent=True)


def _not_reporting(
    section: Section,
    process: psutil.Process,
    command: list[str],
    executable: str,
    environ: dict[str, str],
    paths: list[str],
) -> None:
    loaded = settings.load(environ)
    onpath = launching.folder()
    armed = any(_is_ours(entry, onpath) for entry in environ.get("PYTHONPATH", "").split(os.pathsep))
    hidden_by = launching.hidden_by(command, executable) if command else None
    if not loaded.settings.enabled:
        switch = "REMORA_ENABLED" if not loaded.values["REMORA_ENABLED"] else "OTEL_SDK_DISABLED"
        section.problem(f"it is switched off by {switch}={environ.get(switch)}: start it without", urgent=True)
    elif not armed:
        section.problem(
            "it was started without Remora: start it by `remora run`, or with PYTHONPATH="
            f"{onpath} (remora run --print-env)",
            urgent=True,
        )
    elif hidden_by:
        section.problem(f"Python was started with {hidden_by}, which keeps Remora out: start it without", urgent=True)
    elif _is_loaded(process):
        section.note(
            "Remora is in it, and has reported nothing: that comes with the first library that the program imports and "
            f"Remora traces. Looked for {' and '.join(paths)}"
        )
    else:
        section.problem(
            f"it was started with Remora, and does not report in {' or '.join(paths)}. Perhaps it has imported no "
            f"library that is traced; else, is Remora installed for {executable} (its stderr says so where not), and "
            "is that folder writable for it? `remora doctor -- CMD` tells more",
            urgent=True,
        )


def _is_ours(entry: str, onpath: str) -> bool:
    """Also that of another installation: a container's image has its own."""
    return entry == onpath or entry.rstrip("/").endswith("/remora_launch/onpath")


def _is_loaded(process: psutil.Process) -> bool:
    """Whether a compiled part of Remora is in its memory; that tells nothing where there are none."""
    maps = asked(process.memory_maps) or []
    return any(_REMORA_IN_MEMORY.search(one.path) for one in maps)
