"""`remora doctor [PID | -- CMD ...]`: looks at this environment, a running process, or one run of a command."""

from __future__ import annotations

import argparse
import json
import os
import sys

from remora import diagnostics
from remora.cli.terminal import Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from remora.cli.doctor.findings import Report


def main(argv: Sequence[str]) -> int:
    """0 when all is well, 1 when something is to be mended, 2 on wrong usage."""
    words = list(argv)
    command: list[str] | None = None
    if "--" in words:
        position = words.index("--")
        words, command = words[:position], words[position + 1 :]
    parser = _parser()
    asked = parser.parse_args(words)
    if command is not None and (asked.pid is not None or not command):
        parser.error("give a process id, or -- and a command")
    diagnostics.listen_from("none")  # what is wrong is in the report
    report = _report(asked.pid, command, as_json=asked.json)
    if asked.json:
        print(json.dumps(report.as_dict(), indent=2))
    else:
        report.print(Terminal())
    return 1 if report.problems else 0


def _report(pid: int | None, command: list[str] | None, *, as_json: bool) -> Report:
    # Each one needs imports of its own, and a probe loads a good part of the house.
    if command is not None:
        from remora.cli.doctor import one_run

        # The command's own output must not get into the JSON.
        return one_run.examine(command, os.environ, stdout=sys.stderr if as_json else None)
    if pid is not None:
        from remora.cli.doctor import process

        return process.examine(pid, os.environ)
    from remora.cli.doctor import environment

    return environment.examine(os.environ)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="remora doctor",
        usage="remora doctor [--json] [PID | -- CMD ...]",
        description="Tell why there are spans, or none. Without arguments: would a program that is started here be "
        "traced, and does the collector take a probe span? With a process id: what does Remora do in that process, or "
        "why is it not there? With a command: run it, then tell what became of its spans.",
    )
    parser.add_argument("pid", nargs="?", type=_pid, metavar="PID", help="a running process")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _pid(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no process id; for a command write: remora doctor -- {text} ...")
    return int(text)
