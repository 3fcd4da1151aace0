"""The functions by which a program ends itself without Python's own exit: each delivers first, if anything waits."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import os
import sys
from time import sleep

from remora.process import children, draining, fork, signals
from remora.process.substitutes import original, posing_as, substitute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HARMLESS = frozenset(
    getattr(_signal, name)
    for name in ("SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU")
    if hasattr(_signal, name)
)
_POLL_S = 0.05


class _Os:
    """Stand-ins are bound methods: like built-ins they do not bind when a class holds them, and they pickle by name."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return __import__, ("os",)

    @posing_as(os._exit)
    def _exit(self, status: int) -> Any:
        _deliver()
        return original(os, "_exit")(status)

    @posing_as(os.abort)
    def abort(self) -> Any:
        _deliver()
        return original(os, "abort")()

    @posing_as(os.execv)
    def execv(self, path: Any, argv: Any, /) -> Any:
        _deliver_before_exec(path)
        env = children.environment(None) if fork.is_child() else None
        try:
            if env is None:
                return original(os, "execv")(path, argv)
            return original(os, "execve")(path, argv, env)
        finally:
            draining.renew_budget()  # still here: it failed, and life goes on

    @posing_as(os.execve)
    def execve(self, path: Any, argv: Any, env: Any) -> Any:
        _deliver_before_exec(path)
        if env is not None and fork.is_child():
            env = children.environment(env)
        try:
            return original(os, "execve")(path, argv, env)
        finally:
            draining.renew_budget()

    @posing_as(os.kill)
    def kill(self, pid: int, signal: int, /) -> Any:
        if pid == os.getpid():
            _deliver_before(signal)
        return original(os, "kill")(pid, signal)


class _Signal:
    """The same for the built-in module below ``signal``, whose functions call these."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return __import__, ("_signal",)

    @posing_as(_signal.signal)
    def signal(self, signalnum: int, handler: Any, /) -> Any:
        before = original(_signal, "signal")(signalnum, handler)
        if _is_default(handler):
            signals.armed_again()
        return _signal.SIG_DFL if signals.hides(before) else before

    @posing_as(_signal.getsignal)
    def getsignal(self, signalnum: int, /) -> Any:
        handler = original(_signal, "getsignal")(signalnum)
        return _signal.SIG_DFL if signals.hides(handler) else handler

    @posing_as(_signal.raise_signal)
    def raise_signal(self, signalnum: int, /) -> Any:
        _deliver_before(signalnum)
        return original(_signal, "raise_signal")(signalnum)

    @posing_as(_signal.pause)
    def pause(self) -> Any:
        original(_signal, "pause")()
        while signals.terminating():  # a signal that kills does not end a pause
            sleep(_POLL_S)


_OS = _Os()
_SIGNAL = _Signal()


def watch() -> None:
    """Stand in for them from now on."""
    for name in ("_exit", "abort", "execv", "execve", "kill"):
        substitute(os, name, getattr(_OS, name))
    above = sys.modules.get("signal")  # has its own copies if it was imported before us
    for name in ("signal", "getsignal", "raise_signal", "pause"):
        ours = getattr(_SIGNAL, name)
        if above is not None and getattr(above, name) is getattr(_signal, name):
            substitute(above, name, ours)
        substitute(_signal, name, ours)


def _deliver() -> None:
    fork.forked()
    if draining.pending():
        try:
            draining.drain()
        except (KeyboardInterrupt, SystemExit):  # the program is ending already
            pass
    signals.die()  # if one came, and the program was quicker than the worker


def _deliver_before(signal_number: Any) -> None:
    """A signal that the program sends to itself, deadly by default: nothing of the program may run after it."""
    try:
        deadly = signal_number and signal_number not in _HARMLESS and _is_default(_signal.getsignal(signal_number))
    except Exception:  # no such signal, as the real function will say
        return
    if deadly:
        _deliver()
        signals.disarm(signal_number)


def _deliver_before_exec(path: Any) -> None:
    fork.forked()
    # A child just forked has nothing to deliver, and a search along PATH tries files that do not exist.
    if draining.pending() and _is_executable(path):
        draining.drain()


def _is_default(handler: Any) -> bool:
    return isinstance(handler, int) and handler == _signal.SIG_DFL


def _is_executable(path: Any) -> bool:
    try:
        return isinstance(path, int) or os.access(path, os.X_OK)
    except Exception:  # whatever is wrong with it, the real function says so
        return False
