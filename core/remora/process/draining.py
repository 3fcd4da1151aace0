"""Delivers what waits, once, within one budget, whoever asks first: exit, exec, or a signal."""

from __future__ import annotations

from _thread import get_ident
from time import monotonic

from remora.process.guard import quietly
from remora.process.signals import remaining_s
from remora.process.threads import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class _Drain:
    def __init__(self) -> None:
        self.budget_s = 2.0
        self.registered: list[tuple[Callable[[float], object], Callable[[], object]]] = []
        self.renew()

    def renew(self) -> None:
        self.lock = allocate_lock()
        self.thread = 0
        self.spent_s = 0.0
        self.at_end_done = False


_drain = _Drain()


def register(callback: Callable[[float], object], pending: Callable[[], object]) -> None:
    _drain.registered.append((callback, pending))


def set_budget(budget_s: float) -> None:
    _drain.budget_s = budget_s


def renew() -> None:
    """In a forked child."""
    _drain.renew()


def renew_budget() -> None:
    """The process did not end after all."""
    _drain.spent_s = 0.0


def pending() -> bool:
    """Does anything wait to be delivered?"""
    return any(quietly("exit: pending", waits) for _, waits in _drain.registered)


def drain(*, at_end: bool = False) -> None:
    """Have everything delivered that waits, or with ``at_end`` once whatever may have come up, within the budget.

    A second thread waits for the first; a callback that ends the process itself does not wait for itself.
    """
    if _drain.thread == get_ident():
        return
    left_s = min(max(_drain.budget_s - _drain.spent_s, 0.0), remaining_s())
    if not _drain.lock.acquire(timeout=left_s):
        return
    started_s = monotonic()
    try:
        _drain.thread = get_ident()
        everything = at_end and not _drain.at_end_done
        _drain.at_end_done = _drain.at_end_done or at_end
        for callback, waits in _drain.registered:
            if everything or quietly("exit: pending", waits):
                quietly("exit", callback, max(0.0, started_s + left_s - monotonic()))
    finally:
        _drain.spent_s += monotonic() - started_s
        _drain.thread = 0
        _drain.lock.release()
