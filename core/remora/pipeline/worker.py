"""The one daemon thread of a process: sleeps until a batch is full or old, then hands it to the export chain."""

from __future__ import annotations

from math import inf
from time import monotonic

from remora import diagnostics
from remora.process import exit as process_exit
from remora.process import signals, threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from remora.pipeline.line import Line

_IDLE_S = 60.0
_LET_GO_S = 0.2
_REPORT_EVERY_S = 5.0


class Worker:
    """Drives the lines (one per signal) of this process.

    It is a real thread with real waiting even where the program replaced threads and locks (gevent): what it needs was
    taken when this module was imported. With nothing to do it sleeps until the first item arrives. Items wait
    ``schedule_delay_s`` at most. ``on_round()`` is called after each round of sending.
    """

    def __init__(self, schedule_delay_s: float, on_round: Callable[[], object]) -> None:
        self.schedule_delay_s = schedule_delay_s
        self.lines: list[Line] = []
        self._on_round = on_round
        self._wakeup = signals.Wakeup()
        self._sending = threads.allocate_lock()
        self._running = False
        self._leaving = False
        self._guarded_round = diagnostics.guarded("worker", self._round)

    # Called by intakes, on the program's threads.

    def first(self) -> None:
        """Something waits now. Starts the thread where there is none. Never raises."""
        signals.set_pending(1)
        if self._running:
            self._wakeup.wake()
            return
        self._running = True
        signals.arm()  # here already: the signal may come before the thread runs for the first time
        try:
            threads.start_hidden(self._run)
        except RuntimeError as error:
            # No more threads, or the interpreter is going down: tried again with the next batch, at last at exit.
            self._running = False
            diagnostics.say("worker", f"no export thread can be started ({error}); telemetry waits", every_s=60.0)

    def full(self) -> None:
        """A batch is complete."""
        if self._running:
            self._wakeup.wake()
        else:
            self.first()

    # The thread.

    def _run(self) -> None:
        signals.arm()
        while not self._leaving:
            if self._idle():
                rest_s = self._rest_s()
                reason = self._wakeup.wait(min(rest_s, _IDLE_S))
                if reason == signals.TIMEOUT and rest_s > _IDLE_S:
                    self._on_round()
                if reason == signals.WORK and not self._leaving and not self._idle():
                    reason = self._wait_for_batch()
            else:
                reason = self._wait_for_batch()
            signals.arm()
            if reason == signals.TERMINATING:
                process_exit.end_by_signal()
            elif not self._leaving:
                self._guarded_round()
        self._running = False

    def _wait_for_batch(self) -> int:
        """Until a batch is full or old. Where that takes long, what is told of this process keeps up meanwhile."""
        old_at = monotonic() + min(self.schedule_delay_s, self._rest_s())
        while True:
            reason = self._wakeup.wait(min(max(old_at - monotonic(), 0.0), _REPORT_EVERY_S))
            if reason != signals.TIMEOUT or monotonic() >= old_at:
                return reason
            self._on_round()

    def _idle(self) -> bool:
        """Whether nothing waits in a queue; something may have been measured all the same."""
        return all(line.books.queued == 0 for line in self.lines)

    def _rest_s(self) -> float:
        return min([line.rest_s() for line in self.lines])

    def _round(self) -> None:
        if (self._idle() and self._rest_s() > 0.0) or not self._sending.acquire(timeout=60.0):
            return
        try:
            for line in self.lines:
                line.drain()
            if not self.pending():
                signals.set_pending(0)
                if self.pending():  # a span came in between
                    signals.set_pending(1)
        finally:
            self._sending.release()
        self._on_round()

    # The end, and asking for more haste.

    def pending(self) -> bool:
        """Whether anything waits or was measured since the last collection."""
        return any(line.pending() for line in self.lines)

    def flush(self, timeout_s: float, line: Line | None = None) -> bool:
        """Sends what waits now, of all lines or of one, in the calling thread; False when the time was not enough."""
        deadline = monotonic() + timeout_s
        lines = self.lines if line is None else [line]
        if not self._sending.acquire(timeout=max(timeout_s, 0.0)):
            return False
        try:
            for each in lines:
                each.drain(deadline)
        finally:
            self._sending.release()
        return all(each.books.queued == 0 for each in lines)

    def finish(self, deadline: float) -> None:
        """The end of the process: deliver by ``deadline`` (monotonic), store what cannot be delivered by then."""
        if not self.pending():
            return
        left_s = max(deadline - monotonic(), 0.0)
        network_deadline = deadline - min(0.3, left_s / 4)
        for line in self.lines:
            line.hasten(network_deadline)
        if self._sending.acquire(timeout=max(network_deadline - monotonic(), 0.0) + 0.1):
            try:
                for line in self.lines:
                    line.drain(network_deadline, last=True)
            finally:
                self._sending.release()
        else:
            # A request hangs all the same: what it holds, and what waits behind it, goes to the store.
            for line in self.lines:
                line.abandon()
        signals.set_pending(0)

    # Forks.

    def let_go(self) -> None:
        """Ends the thread ahead of a fork, if it is not sending: from 3.12 on Python warns of forks beside threads."""
        if not self._running or self._sending.locked():
            return
        self._leaving = True
        self._wakeup.wake()
        patience = monotonic() + _LET_GO_S
        while self._running and monotonic() < patience:
            threads.breathe()
        self._leaving = False

    def take_up(self) -> None:
        """Behind a fork, in the parent: goes on where ``let_go`` left off."""
        if not self._running and (self.pending() or self._rest_s() < inf):
            self.first()

    def forked(self) -> None:
        """In a forked child: the parent's thread and locks do not exist here."""
        self._sending = threads.allocate_lock()
        self._running = False
        self._leaving = False
        self._wakeup.reset()
        for line in self.lines:
            line.forked()
