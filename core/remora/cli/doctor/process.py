"""`remora doctor PID`: what Remora does in that process, or why it is not there."""

from __future__ import annotations

import psutil

from remora import settings
from remora.cli.doctor.absence import explain
from remora.cli.doctor.family import forked_from, reported, tell_below
from remora.cli.doctor.findings import Report
from remora.cli.doctor.telling import tell, tell_of_parent
from remora.pipeline.health import path_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def examine(pid: int, environ: Mapping[str, str]) -> Report:
    """Read the status file of the process, else that of its parent, else look at the process itself."""
    report = Report({"subject": "process", "pid": pid, "instrumented": False, "report": None})
    process = _living(pid)
    if process is None:
        report.section("Process", str(pid)).problem(f"there is no process {pid}: it ended, or its number is another")
        return report
    given = _environment(process)
    folders = [settings.load(each).settings.store_dir for each in (given, environ) if each is not None]
    folders = list(dict.fromkeys(folders))
    status = reported(process, folders)
    parent = None if status is not None or given is None else forked_from(process, folders)
    if status is not None:
        report.data.update(instrumented=True, report=status)
        tell(report, status, ended=False)
    elif parent is not None:
        report.data.update(instrumented=True, forked_from=parent.get("pid"))
        tell_of_parent(report, pid, parent)
    else:
        explain(report, process, given, [path_of(folder, pid) for folder in folders])
    tell_below(report, pid, folders)
    return report


def _living(pid: int) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        return process if process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def _environment(process: psutil.Process) -> dict[str, str] | None:
    """What it was started with; None if that is not ours to see."""
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return None
