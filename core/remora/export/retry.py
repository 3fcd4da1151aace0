"""Again, later: exponential backoff with full jitter inside the deadline, or as the endpoint itself asks."""

from __future__ import annotations

import os
from time import monotonic

from remora.export.deadline import DeadlineError
from remora.export.reply import RETRYABLE, Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from remora.export.deadline import Haste
    from remora.export.reply import Step

FIRST_BACKOFF_S = 1.0
LONGEST_BACKOFF_S = 30.0
_LEAST_RETRY_AFTER_S = 0.1  # "Retry-After: 0" is an invitation to a busy loop
_LONGEST_PROBE_GAP_S = 300.0


def pause_s(
    reply: Reply, attempt: int, remaining_s: float, *, first_s: float = FIRST_BACKOFF_S, jitter: float
) -> float | None:
    """How long to wait after attempt number `attempt` (from 0); None when it is no use. `jitter` is in [0, 1)."""
    if reply.verdict != RETRYABLE:
        return None
    wait_s = min(LONGEST_BACKOFF_S, first_s * 2.0 ** min(attempt, 30))
    if reply.retry_after_s is not None and reply.retry_after_s >= _LEAST_RETRY_AFTER_S:
        wait_s = reply.retry_after_s + jitter * min(wait_s, 0.1 * reply.retry_after_s)  # not all clients at once
    else:
        wait_s *= jitter
    return wait_s if wait_s < remaining_s else None


class Retrying:
    """Repeats the next step while that helps.

    Once a payload had to be given up and can be stored, its successors are not kept waiting in the queue for an
    endpoint that is down: they go straight to the store, but for one that probes now and then, once each.
    """

    def __init__(
        self,
        step: Step,
        haste: Haste,
        *,
        stores: Callable[[], bool],
        gave_up: Callable[[Reply], None],
        first_backoff_s: float = FIRST_BACKOFF_S,
        probe_gap_s: float = 1.0,
    ) -> None:
        self._step = step
        self._haste = haste
        self._stores = stores
        self._gave_up = gave_up
        self._first_backoff_s = first_backoff_s
        self._probe_gap_s = probe_gap_s
        self._down: Reply | None = None  # the reply that a payload was given up for
        self._probe_at = 0.0

    @property
    def down(self) -> bool:
        """Whether the endpoint was given up, so that payloads are stored."""
        return self._down is not None

    def post(self, signal: str, body: bytes, deadline: float) -> Reply:
        if self._haste.remaining_s(deadline) <= 0:
            return Reply(RETRYABLE, error=DeadlineError("no time left for it"))
        if self._down is not None and self._stores():
            if monotonic() < self._probe_at:
                return self._down
            reply, took_s = self._attempt(signal, body, deadline)
        else:
            reply, took_s = self._persist(signal, body, deadline)
        if reply.verdict == RETRYABLE:
            self._down = reply
            # A hanging endpoint may take a third of the worker's time at most.
            gap_s = max(self._probe_gap_s, 2 * took_s, min(reply.retry_after_s or 0.0, _LONGEST_PROBE_GAP_S))
            self._probe_at = monotonic() + gap_s
            self._gave_up(reply)
        else:
            self._down = None
        return reply

    def _persist(self, signal: str, body: bytes, deadline: float) -> tuple[Reply, float]:
        attempt = 0
        while True:
            reply, took_s = self._attempt(signal, body, deadline)
            remaining_s = self._haste.remaining_s(deadline)
            wait_s = pause_s(reply, attempt, remaining_s, first_s=self._first_backoff_s, jitter=_jitter())
            if wait_s is None:
                return reply, took_s
            hastened = self._haste.sleep(wait_s)
            attempt = 0 if hastened else attempt + 1

    def _attempt(self, signal: str, body: bytes, deadline: float) -> tuple[Reply, float]:
        started = monotonic()
        reply = self._step.post(signal, body, deadline)
        return reply, monotonic() - started


def _jitter() -> float:
    return int.from_bytes(os.urandom(4), "little") / 2**32  # `random` would load hashlib
