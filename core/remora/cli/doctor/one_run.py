"""`remora doctor -- CMD`: runs the command under `remora run`, then reads what its process reported at its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile

from remora.cli.doctor.findings import Report
from remora.cli.doctor.telling import spans_made, tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TextIO

STATUS_VARIABLE = "REMORA_STATUS_FILE"
_PER_PROCESS = "%p.json"  # each process puts its pid there
_MOST_SHOWN = 4


def examine(command: list[str], environ: Mapping[str, str], stdout: TextIO | None = None) -> Report:
    """Run it to its end, its streams being ours (or ``stdout``); its exit code is told, and is none of ours."""
    with tempfile.TemporaryDirectory(prefix="remora-doctor-") as folder:
        exit_code = _run(command, {**environ, STATUS_VARIABLE: os.path.join(folder, _PER_PROCESS)}, stdout)
        found = _reports(folder)
    report = Report({"subject": "command", "command": command, "exit_code": exit_code, "reports": found})
    section = report.section("Command", " ".join(command))
    ended = f"ended by {signal.Signals(-exit_code).name}" if exit_code < 0 else f"exit code {exit_code}"
    (section.good if exit_code == 0 else section.note)(ended)
    if not found:
        section.problem(_why_silent(environ, exit_code), urgent=True)
        return report
    told = [status for status in found if spans_made(status)] or found[:1]
    if len(found) > 1:
        section.note(f"{len(found)} processes reported, of which {min(len(told), _MOST_SHOWN)} follow")
    for status in told[:_MOST_SHOWN]:
        tell(report, status, ended=True)
    return report


def _run(command: list[str], environ: dict[str, str], stdout: TextIO | None) -> int:
    # Signals are for the command, as if it ran by itself; we stay to report.
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        child = subprocess.Popen(  # noqa: S603 - what the user asks for
            [sys.executable, "-m", "remora", "run", "--", *command],
            env=environ,
            stdout=stdout,
            preexec_fn=_default_signals,  # noqa: PLW1509 - one thread, and what is ignored would stay ignored
        )
        # The terminal sends its SIGINT to both of us; whoever sends SIGTERM knows of us only.
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        return child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _default_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _reports(folder: str) -> list[dict[str, Any]]:
    """What the processes said, in the order of their starts; what cannot be read is passed over."""
    found = []
    for name in os.listdir(folder):
        try:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                status = json.load(file)
        except (OSError, ValueError):
            continue
        if isinstance(status, dict):
            found.append(status)
    return sorted(found, key=lambda status: float(status.get("started_unix_s") or 0))


def _why_silent(environ: Mapping[str, str], exit_code: int) -> str:
    from remora import settings

    if exit_code in (126, 127):
        return "the command could not be started: look at its name, and at what was written above"
    if not settings.load(environ).settings.enabled:
        return "everything is switched off by REMORA_ENABLED or OTEL_SDK_DISABLED: unset it"
    if exit_code == -signal.SIGKILL:
        return "SIGKILL ended the process, which leaves nobody to report"
    return (
        "no process reported: the command started no Python that has Remora, or Python was started with -I, -E or -S, "
        "or by os._exit it left without a word; look for a line of remora above"
    )
