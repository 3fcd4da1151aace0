"""The demo's services as real processes, started by `remora run` and ended by SIGTERM."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO, Final

_START_TIMEOUT_S: Final = 8.0
_END_TIMEOUT_S: Final = 4.0
_FOLDER: Final = os.path.dirname(os.path.abspath(__file__))


class ServiceError(Exception):
    """A service did not start or did not end; the message has its last words."""


class Service:
    """One program of this folder under `remora run`. It prints its URL as its first line."""

    def __init__(self, name: str, environ: Mapping[str, str], log: str, *arguments: str) -> None:
        self.name = name
        self._log = log
        script = os.path.join(_FOLDER, f"{name}.py")
        with open(log, "wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs
                [sys.executable, "-m", "remora", "run", "--", sys.executable, script, "--port", "0", *arguments],
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
            )

    @property
    def pid(self) -> int:
        """Also the pid of the program: `remora run` becomes it."""
        return self._process.pid

    @property
    def _output(self) -> IO[bytes]:
        if self._process.stdout is None:
            raise ServiceError(f"{self.name} has no output")
        return self._process.stdout

    def url(self) -> str:
        """Where it listens, once it does. ServiceError if it ends or takes too long."""
        deadline = monotonic() + _START_TIMEOUT_S
        line = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, deadline - monotonic())):
                    raise ServiceError(f"{self.name} did not start within {_START_TIMEOUT_S:.0f} s{self._last_words()}")
                piece = os.read(self._output.fileno(), 4096)
                if not piece:
                    raise ServiceError(f"{self.name} did not start{self._last_words()}")
                line += piece
        return line.decode().strip()

    def end(self) -> None:
        """SIGTERM, as any orchestrator does it. ServiceError if that is not the end; then it is killed."""
        self._process.terminate()
        try:
            self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise ServiceError(f"{self.name} did not end within {_END_TIMEOUT_S:.0f} s of SIGTERM") from None
        finally:
            self._output.close()

    def _last_words(self) -> str:
        try:
            with open(self._log, encoding="utf-8", errors="replace") as file:
                lines = [line.strip() for line in file if line.strip()]
        except OSError:
            return ""
        return f": {lines[-1]}" if lines else ""
