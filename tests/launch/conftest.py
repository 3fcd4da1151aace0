"""An agent that only notes that it was started, so that the launch is tested and nothing else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

import remora
from support.processes import run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support.processes import Finished

_INIT = """
__version__ = "0"
__path__.append({real!r})
"""
_BOOTSTRAP = """
import os, sys
def start():
    with open({log!r}, "a") as log:
        log.write(f"{{os.getpid()}} {{sys.executable}}\\n")
    exec(os.environ.get("FAKE_START", ""))
"""


class Agent:
    """A ``remora`` in front of the real one, with a ``bootstrap`` of its own that runs $FAKE_START."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "starts"
        package = folder / "fake" / "remora"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(_INIT.format(real=next(iter(remora.__path__))))
        (package / "bootstrap.py").write_text(_BOOTSTRAP.format(log=str(self.log)))
        self.env = {"PYTHONPATH": str(package.parent)}

    def run(self, *words: object, env: Mapping[str, str] | None = None, **how: object) -> Finished:
        """``remora run words...``"""
        command = [sys.executable, "-m", "remora", "run", *map(str, words)]
        return run(command, env=self.with_pythonpath(env), launched=False, **how)

    def injected(self, *words: object, env: Mapping[str, str] | None = None, **how: object) -> Finished:
        """The command itself, with the launch in its environment as an injector does it."""
        return run([*map(str, words)], env=self.with_pythonpath(env), launched=True, **how)

    def bare(self, *words: object, env: Mapping[str, str] | None = None, **how: object) -> Finished:
        """The command itself, without any of ours."""
        return run([*map(str, words)], env=self.with_pythonpath(env), launched=False, **how)

    def with_pythonpath(self, env: Mapping[str, str] | None) -> dict[str, str]:
        own = (env or {}).get("PYTHONPATH")
        path = f"{self.env['PYTHONPATH']}:{own}" if own else self.env["PYTHONPATH"]
        return {**self.env, **(env or {}), "PYTHONPATH": path}

    def starts(self) -> list[str]:
        """The pid of each interpreter the agent was started in."""
        return [line.split()[0] for line in self.log.read_text().splitlines()] if self.log.exists() else []


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(tmp_path)
