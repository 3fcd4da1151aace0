"""Threads of ours that the program's signals never reach: a program may block a signal and wait for it itself."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
from _thread import allocate_lock, start_new_thread
from time import sleep as _sleep

__all__ = ["allocate_lock", "breathe", "start_hidden"]  # as they are at boot: gevent replaces them by green ones

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Faults of the thread itself: blocking these is undefined.
_SYNCHRONOUS = {
    getattr(_signal, name)
    for name in ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGTRAP", "SIGSYS")
    if hasattr(_signal, name)
}


def start_hidden(function: Callable[..., object], *arguments: Any) -> int:
    """Run ``function(*arguments)`` in a new daemon thread with every signal blocked; returns its ident.

    It is no `threading.Thread`: neither `threading.enumerate` nor the program's own hooks see it.
    """
    mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, _signal.valid_signals() - _SYNCHRONOUS)
    try:
        return start_new_thread(function, arguments)
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)


def breathe() -> None:
    """Let other threads run for a moment; real even where the program's sleep is green."""
    _sleep(0.0005)
