"""Our own voice: one line on stderr per cause, and a journal of decisions; neither may disturb the host program."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")

LEVELS: Final[dict[str, int]] = {"debug": 10, "info": 20, "warning": 30, "error": 40, "none": 100}

_MAX_CAUSES = 512
_MAX_DECISIONS = 2048
_MAX_LINE_BYTES = 2000  # one write below PIPE_BUF is never interleaved with another thread's or process's line


class Spoken:
    """What became of one cause: its first message and how often it came back, shown by ``remora doctor``."""

    __slots__ = ("again_at_s", "level", "message", "times", "unsaid")

    def __init__(self, level: str, message: str) -> None:
        self.level = level
        self.message = message
        self.times = 0
        self.unsaid = 0
        self.again_at_s = 0.0


class Entry:
    """One decision: what it was about, what was decided, why, and when (Unix seconds)."""

    __slots__ = ("at_s", "decision", "reason", "subject")

    def __init__(self, subject: str, decision: str, reason: str) -> None:
        self.at_s = time.time()
        self.subject = subject
        self.decision = decision
        self.reason = reason

    def __repr__(self) -> str:
        return f"{self.subject}: {self.decision} ({self.reason})" if self.reason else f"{self.subject}: {self.decision}"


spoken: dict[str, Spoken] = {}
journal: list[Entry] = []
_threshold = LEVELS["info"]


def listen_from(level: str) -> None:
    """Say only messages of ``level`` (debug, info, warning, error, none) and above."""
    global _threshold
    _threshold = LEVELS.get(level, LEVELS["info"])


def say(cause: str, message: str, *, level: str = "warning", every_s: float | None = None) -> None:
    """Write ``remora: message`` to stderr, once per ``cause`` in the life of the process.

    With ``every_s`` the cause may speak again after that many seconds, and then tells how often it occurred meanwhile.
    Safe in signal handlers and after fork: no locks, no buffers, one ``write``. Never raises.
    """
    try:
        known = spoken.get(cause)
        if known is None:
            if len(spoken) >= _MAX_CAUSES:
                return
            mine = Spoken(level, message)
            known = spoken.setdefault(cause, mine)  # atomic: of two threads only one finds its own record
            known.times += 1
            if known is not mine:
                known.unsaid += 1
                return
            if every_s is not None:
                known.again_at_s = time.monotonic() + every_s
            _write(message, level)
            return
        known.times += 1
        if every_s is None or time.monotonic() < known.again_at_s:
            known.unsaid += 1
            return
        known.again_at_s = time.monotonic() + every_s
        known.message = message
        unsaid, known.unsaid = known.unsaid, 0
        _write(f"{message} ({unsaid} more since the last such line)" if unsaid else message, level)
    except Exception:
        pass  # a diagnostic that fails has nobody left to tell


def decided(subject: str, decision: str, reason: str = "") -> None:
    """Keep a decision for ``remora doctor``; the oldest make room when there are too many."""
    if len(journal) >= _MAX_DECISIONS:
        del journal[: _MAX_DECISIONS // 4]
    journal.append(Entry(subject, decision, reason))


def guarded(cause: str, function: Callable[P, T]) -> Callable[P, T | None]:
    """Run ``function`` so that a fault of ours is said once and becomes None instead of reaching the host program.

    KeyboardInterrupt, SystemExit and cancellation are the host's own and pass.
    """

    def guarded_call(*args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return function(*args, **kwargs)
        except Exception as fault:
            say(cause, f"{cause}: {fault_text(fault)}", level="error")
            return None

    return guarded_call


def fault_text(fault: BaseException) -> str:
    """Type and place of an exception; its message may quote the host's data, so it is told on level debug only."""
    place = ""
    traceback = fault.__traceback__
    if traceback is not None:
        while traceback.tb_next is not None:
            traceback = traceback.tb_next
        place = f" at {traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}"
    if _threshold > LEVELS["debug"]:
        return f"{type(fault).__name__}{place}"
    try:
        return f"{type(fault).__name__}: {fault}{place}"
    except Exception:
        return f"{type(fault).__name__}{place}"


def _write(message: str, level: str) -> None:
    if LEVELS.get(level, LEVELS["warning"]) < _threshold:
        return
    if sys.__stderr__ is None:
        return  # started without a stderr: descriptor 2 may be a file of the host's by now
    line = " ".join(message.split()).encode("utf-8", "backslashreplace")
    if len(line) > _MAX_LINE_BYTES:
        line = line[:_MAX_LINE_BYTES] + b"..."
    os.write(2, b"remora: " + line + b"\n")
