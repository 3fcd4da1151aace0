"""The twin of signals_c where that cannot be: sleeps on a lock, and handles signals in Python, in the main thread.

The handler runs between two bytecodes of the main thread and stays there until the worker is done or the budget is
over, so a main thread that never returns to Python is not helped: that is what the compiled one is for.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import os
from time import monotonic, sleep

from remora.process.substitutes import original
from remora.process.threads import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Final

TIMEOUT: Final = 0
WORK: Final = 1
TERMINATING: Final = 2

_WATCHED = (_signal.SIGTERM, _signal.SIGHUP, _signal.SIGINT)
_LONGEST_S = 1e6  # a lock refuses more than threading.TIMEOUT_MAX
_SLICE_S = 0.005

_sleepers: list[Wakeup] = []
_pending = 0
_terminating = 0
_received_s = 0.0
_budget_s = 2.0
_owner = 0
_prepared = False


class Wakeup:
    """What a worker sleeps on: one thread waits, any may wake it."""

    __slots__ = ("_woken",)

    def __init__(self) -> None:
        self.reset()
        _sleepers.append(self)

    def wait(self, timeout_s: float) -> int:
        """Sleep at most ``timeout_s``: TIMEOUT, WORK or TERMINATING."""
        woken = self._woken.acquire(timeout=min(max(timeout_s, 0.0), _LONGEST_S))
        if _terminating and _owner == os.getpid():
            return TERMINATING
        return WORK if woken else TIMEOUT

    def wake(self) -> None:
        """End the wait now, or the next one at once; cheap, and allowed in signal handlers."""
        try:
            self._woken.release()
        except RuntimeError:  # already woken
            pass

    def reset(self) -> None:
        """In a forked child: nobody sleeps here any more, and nobody was woken."""
        self._woken = allocate_lock()
        self._woken.acquire()


def prepare() -> None:
    """At boot, in the main thread: only there can Python take a signal over, and the worker is not the main thread."""
    global _prepared
    _prepared = True
    _take_over()


def arm() -> None:
    """For the worker, at its start and whenever it wakes: from now on, until ``forget``, somebody waits for TERMINATING
    and calls ``die``.
    """
    global _owner
    _owner = os.getpid()
    _take_over()


def disarm(signal_number: int) -> None:
    """Back to the default disposition, if it is ours: the signal kills at once."""
    if original(_signal, "getsignal")(signal_number) is _on_signal:
        try:
            original(_signal, "signal")(signal_number, _signal.SIG_DFL)
        except ValueError:  # not the main thread
            set_pending(0)


def armed_again() -> None:
    """The program has set a signal to default: take it over if we had it."""
    if _prepared:
        _take_over()


def hides(handler: object) -> bool:
    """Is that Python-level handler ours? Then the program shall see the default it knows of."""
    return handler is _on_signal


def pending() -> int:
    """What ``set_pending`` said last."""
    return _pending


def set_pending(count: int) -> None:
    """How much waits to be delivered; with 0 a deadly signal kills at once."""
    global _pending
    _pending = count


def set_budget(budget_s: float) -> None:
    """How long a dying process may take, from the signal on."""
    global _budget_s
    _budget_s = budget_s


def terminating() -> int:
    """The signal that is about to kill this process, or 0."""
    return _terminating


def remaining_s() -> float:
    """What is left of the budget since the signal came."""
    return max(0.0, _budget_s - (monotonic() - _received_s)) if _terminating else _budget_s


def die() -> None:
    """Let the main thread, which waits for it in the handler, die by the signal that came."""
    global _terminating
    _terminating = 0


def forget() -> None:
    """In a forked child: no worker, nothing pending, no signal on its way."""
    global _pending, _terminating, _owner
    _pending = _terminating = _owner = 0


def _take_over() -> None:
    for number in _WATCHED:
        if original(_signal, "getsignal")(number) == _signal.SIG_DFL:
            try:
                original(_signal, "signal")(number, _on_signal)
            except ValueError:  # not the main thread
                return


def _on_signal(signal_number: int, _frame: FrameType | None) -> None:
    global _terminating, _received_s
    if _terminating:  # the first one is seen to, below on this stack
        return
    if _owner == os.getpid() and _pending:
        _received_s = monotonic()
        _terminating = signal_number
        for sleeper in _sleepers:
            sleeper.wake()
        while _terminating and remaining_s() > 0:
            sleep(_SLICE_S)
        _terminating = 0
    disarm(signal_number)
    os.kill(os.getpid(), signal_number)
