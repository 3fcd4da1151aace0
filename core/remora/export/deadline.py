"""Time: what is left of it, and how exit or flush shortens it for whatever is in flight."""

from __future__ import annotations

from time import monotonic

from remora.export.genuine import genuine
from remora.process import signals

_RESERVE_S = 0.3  # of the exit budget: for storing what could not be delivered
SLICE_S = 0.05  # how late a blocked read or a sleep may notice that it was hastened


class DeadlineError(TimeoutError):
    """The time given for an exchange is over; the message says what was being waited for."""


class Haste:
    """A deadline laid over everything in flight; no locks, so it may be set in a signal handler or around a fork."""

    __slots__ = ("_calls", "_until")

    def __init__(self) -> None:
        self._until = float("inf")
        self._calls = 0

    def hasten(self, deadline: float) -> None:
        """Whatever is in flight or asleep shall be done by `deadline` (time.monotonic()); sleepers wake at once."""
        self._until = deadline
        self._calls += 1

    def begin(self) -> None:
        """Forget a deadline that passed: it was laid over an earlier payload."""
        if self._until < monotonic():
            self._until = float("inf")

    def forget(self) -> None:
        self._until = float("inf")

    def remaining_s(self, deadline: float) -> float:
        left_s = min(deadline, self._until) - monotonic()
        if signals.terminating():  # a deadly signal came while this was under way
            left_s = min(left_s, signals.remaining_s() - _RESERVE_S)
        return left_s

    def sleep(self, duration_s: float) -> bool:
        """True when somebody hastened meanwhile."""
        calls = self._calls
        end = monotonic() + duration_s
        sleep = genuine("time", "sleep")
        while (left_s := end - monotonic()) > 0:
            sleep(min(left_s, SLICE_S))
            if self._calls != calls or signals.terminating():
                return True
        return False


class Budget:
    """The time of one exchange, handed out in slices so that blocking calls notice haste."""

    __slots__ = ("_deadline", "_haste", "doing", "given_s")

    def __init__(self, deadline: float, haste: Haste) -> None:
        self._deadline = deadline
        self._haste = haste
        self.given_s = max(0.0, haste.remaining_s(deadline))
        self.doing = "connecting"

    def remaining_s(self) -> float:
        return self._haste.remaining_s(self._deadline)

    def slice_s(self) -> float:
        """How long the next system call may block; DeadlineError when there is no time left."""
        remaining_s = self.remaining_s()
        if remaining_s <= 0:
            raise DeadlineError(f"{self.doing} took more than {self.given_s:.3g} s")
        return min(remaining_s, SLICE_S)

    def share(self, of: int) -> Budget:
        """The part of the remaining time that the first of `of` tries may take."""
        part = Budget(min(self._deadline, monotonic() + max(0.0, self.remaining_s()) / of), self._haste)
        part.doing = self.doing
        return part
