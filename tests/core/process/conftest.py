"""Programs with a fake pipeline, once with the compiled signal handling and once with its plain twin."""

from __future__ import annotations

import importlib.util
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.processes import run, run_python, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from subprocess import Popen

    from support.processes import Finished

PROGRAMS = Path(__file__).parent / "programs"
PREAMBLE = "import asyncio, ctypes, fake_pipeline, itertools, os, select, signal, subprocess, sys, threading, time\n"


class Program:
    """Runs code that may import ``fake_pipeline``, and knows what that delivered."""

    def __init__(self, log: Path, twin: str) -> None:
        self.log = log
        self.twin = twin
        self.env = {"FAKE_LOG": str(log), "PYTHONPATH": str(PROGRAMS)}
        if twin == "plain":
            self.env["REMORA_PURE_PYTHON"] = "1"

    def run(self, code: str, *arguments: str) -> Finished:
        return run_python(code, *arguments, env=self.env, launched=False)

    def run_script(self, script: Path) -> Finished:
        return self.run_command(sys.executable, str(script))

    def run_command(self, *command: str) -> Finished:
        return run(command, env=self.env, launched=False)

    @contextmanager
    def running(self, code: str, *, budget_s: float = 2) -> Iterator[Popen[str]]:
        """Code with everything imported that it may need, waited for until it notes ``ready``."""
        command = [sys.executable, "-c", PREAMBLE + code]
        with running(command, env={**self.env, "FAKE_BUDGET_S": str(budget_s)}, launched=False) as process:
            wait_until("the program is ready", lambda: "ready" in self.notes())
            yield process

    def notes(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def delivered(self) -> list[int]:
        """What each delivery took along, in the order of the log; of every process."""
        return [int(line.split("delivered=")[1].split()[0]) for line in self.notes() if "delivered=" in line]

    def delivering_pids(self) -> list[str]:
        return [line.split()[0] for line in self.notes() if "delivered=" in line]


@pytest.fixture(params=["compiled", "plain"])
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Program:
    if request.param == "compiled" and importlib.util.find_spec("remora.process.signals_c") is None:
        pytest.skip("remora.process.signals_c is not compiled here")
    return Program(tmp_path / "log", request.param)
