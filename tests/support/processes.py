"""Runs programs as a user would: in a process of their own, under the launch or without, nothing of ours around."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

# What a program needs to run at all; everything else of the tester's environment could change what is tested.
_KEPT = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "SYSTEMROOT", "TMPDIR", "TZ", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Finished:
    """A program that ended. ``exit_code`` is negative for a signal; ``duration_s`` includes its start."""

    stdout: str
    stderr: str
    exit_code: int
    duration_s: float

    @property
    def lines_of_ours(self) -> list[str]:
        return [line for line in self.stderr.splitlines() if line.startswith("remora: ")]


def onpath() -> Path:
    """The folder that an injector puts on PYTHONPATH, found without importing anything of the launch."""
    spec = importlib.util.find_spec("remora_launch")
    if spec is None or not spec.submodule_search_locations:
        raise LookupError("remora_launch is not installed here: pip install -e '.[test]'")
    return Path(next(iter(spec.submodule_search_locations))) / "onpath"


def environment(*, launched: bool = True, env: Mapping[str, str] | None = None, state: str = "") -> dict[str, str]:
    """A clean environment, with the launch on PYTHONPATH or not; ``env`` has the last word.

    Telemetry that finds no collector goes below ``state`` instead of the tester's own folder.
    """
    clean = {name: os.environ[name] for name in _KEPT if name in os.environ}
    if state:
        clean["XDG_STATE_HOME"] = state
    clean.update(env or {})
    if launched:
        clean["PYTHONPATH"] = os.pathsep.join(filter(None, [str(onpath()), clean.get("PYTHONPATH", "")]))
    return clean


def run(
    command: Sequence[str | os.PathLike[str]],
    *,
    env: Mapping[str, str] | None = None,
    launched: bool = True,
    cwd: str | os.PathLike[str] | None = None,
    stdin: str | None = None,
    timeout_s: float = 60,
) -> Finished:
    """Run ``command`` to its end; one that does not come is a failure of the test."""
    with tempfile.TemporaryDirectory(prefix="remora-test-") as state:
        started_s = time.monotonic()
        done = subprocess.run(
            [os.fspath(word) for word in command],
            env=environment(launched=launched, env=env, state=state),
            cwd=cwd,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            timeout=timeout_s,
            check=False,
        )
        return Finished(done.stdout, done.stderr, done.returncode, time.monotonic() - started_s)


def run_python(
    code: str,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    launched: bool = True,
    options: Sequence[str] = (),
    cwd: str | os.PathLike[str] | None = None,
    timeout_s: float = 60,
) -> Finished:
    """Run a piece of Python, indented as the test around it, in this interpreter's like."""
    command = [sys.executable, *options, "-c", textwrap.dedent(code), *arguments]
    return run(command, env=env, launched=launched, cwd=cwd, timeout_s=timeout_s)


@contextmanager
def running(
    command: Sequence[str | os.PathLike[str]],
    *,
    env: Mapping[str, str] | None = None,
    launched: bool = True,
    cwd: str | os.PathLike[str] | None = None,
    exits_within_s: float = 20,
) -> Iterator[subprocess.Popen[str]]:
    """A program that stays, such as a server: in a process group of its own, which gets SIGTERM at the end.

    stdout and stderr are files below the program's state folder, so that no full pipe can stop it; read them by
    ``output(process)``.
    """
    with tempfile.TemporaryDirectory(prefix="remora-test-") as state, Path(state, "output").open("wb") as output_file:
        process = subprocess.Popen(
            [os.fspath(word) for word in command],
            env=environment(launched=launched, env=env, state=state),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output_file,
            stderr=output_file,
            text=True,
            start_new_session=True,
        )
        _outputs[process.pid] = Path(output_file.name)
        try:
            yield process
        finally:
            stop(process, exits_within_s)
            _outputs.pop(process.pid, None)


_outputs: dict[int, Path] = {}


def output(process: subprocess.Popen[str]) -> str:
    """What a program started by ``running`` has printed so far, stdout and stderr in the order written."""
    return _outputs[process.pid].read_text(errors="backslashreplace")


def stop(process: subprocess.Popen[str], within_s: float = 20) -> int:
    """SIGTERM to a program started by ``running``, SIGKILL to its whole group if it does not end; its exit code."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(within_s)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    return process.wait(within_s)


def wait_until(what: str, holds: Callable[[], object], *, within_s: float = 10, every_s: float = 0.02) -> None:
    """Wait until ``holds()`` is true, or fail with ``what`` was waited for."""
    deadline_s = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline_s:
            raise AssertionError(f"waited {within_s} s in vain: {what}")
        time.sleep(every_s)
