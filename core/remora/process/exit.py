"""The last chance to deliver: what is registered here is called at the end of the process, whichever way it ends."""

from __future__ import annotations

import atexit
import sys

from remora.process import draining, fork, signals, ways_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_watching = False


def on_exit(callback: Callable[[float], object], pending: Callable[[], object] = signals.pending) -> None:
    """``callback(timeout_s)`` delivers what waits, within ``timeout_s`` from then, when the process ends.

    At Python's own exit (return, exception, sys.exit; after the program's atexit handlers, if this is called at boot)
    and at a deadly signal it is called in any case, but once. Where a program ends itself by os._exit, exec, or a
    signal of its own, it is called only if ``pending()``. It must leave the pipeline able to go on: exec may fail, and
    nothing kills pid 1 of a container. It runs in the thread that ends the process, which may be the worker itself.
    """
    global _watching
    if not _watching:
        _watching = True
        atexit.register(_at_exit)
        fork.on_fork_child(_in_child)
        ways_out.watch()
        signals.prepare()
    draining.register(callback, pending)


def set_budget(budget_s: float) -> None:
    """How long the end of the process may be delayed, all in all (2 s if never called)."""
    draining.set_budget(budget_s)
    signals.set_budget(budget_s)


def end_by_signal() -> None:
    """For the worker whose wait said TERMINATING: deliver everything, then die by the signal that came.

    Returns in a process that the signal does not kill (pid 1 of a container).
    """
    _quietly_drain_all()
    signals.die()


def _at_exit() -> None:
    fork.forked()
    end_by_signal()  # if one came, and the program was quicker to end than the worker to deliver
    if getattr(sys, "last_type", None) is KeyboardInterrupt:
        _interrupt_again()


def _interrupt_again() -> None:
    """An unhandled KeyboardInterrupt makes Python die by SIGINT, but it forgets so when code is evaluated at exit.

    Whatever was imported meanwhile may have done that (``namedtuple`` does); evaluating one more brings it back.
    """
    try:
        exec("raise KeyboardInterrupt", {})  # noqa: S102 - a constant
    except KeyboardInterrupt:
        pass


def _quietly_drain_all() -> None:
    try:
        draining.drain(at_end=True)
    except (KeyboardInterrupt, SystemExit):  # the program is ending already
        pass


def _in_child() -> None:
    signals.forget()
    draining.renew()
