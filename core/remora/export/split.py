"""Too large (413): the payload is sent in halves, and the endpoint's limit is learned for the batches to come."""

from __future__ import annotations

from time import monotonic

from remora import diagnostics
from remora.export.reply import ACCEPTED, MISDIRECTED, TOO_LARGE, Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from remora.export.fallback import Settlement
    from remora.export.reply import Step
    from remora.export.sender import Outcome, Payload

FORGET_AFTER_S = 3600.0  # limits are raised, too


class Splitting:
    """Sends payloads through the next step, in as many pieces as the endpoint wants."""

    def __init__(self, step: Step, settlement: Settlement, *, forget_after_s: float = FORGET_AFTER_S) -> None:
        self._step = step
        self._settlement = settlement
        self._forget_after_s = forget_after_s
        self._refused_bytes = 0  # the smallest body that was too large; 0 = none was
        self._taken_bytes = 0  # the largest body below that which was not
        self._forget_at = 0.0

    @property
    def limit_bytes(self) -> int | None:
        """How large a batch (uncompressed) may safely be; None while no limit is known."""
        if not self._refused_bytes:
            return None
        return max(self._taken_bytes, self._refused_bytes // 2)

    def send(self, payload: Payload, deadline: float) -> Outcome:
        if self._refused_bytes and monotonic() >= self._forget_at:
            self._refused_bytes = self._taken_bytes = 0
        return self._send(payload, deadline)

    def _send(self, payload: Payload, deadline: float) -> Outcome:
        size_bytes = len(payload.body)
        if self._refused_bytes and size_bytes >= self._refused_bytes:
            halves = _halves(payload)
            if halves is not None:
                return self._send(halves[0], deadline) + self._send(halves[1], deadline)
        reply = self._attempt(payload, deadline)
        if reply.verdict == TOO_LARGE:
            self._refuses(size_bytes)
            halves = _halves(payload)
            if halves is not None:
                return self._send(halves[0], deadline) + self._send(halves[1], deadline)
        elif reply.verdict == ACCEPTED and size_bytes > self._taken_bytes:
            self._taken_bytes = size_bytes
            if self._refused_bytes <= size_bytes:
                self._refused_bytes = 0  # the limit was raised
        return self._settlement.settle(payload, reply)

    def _refuses(self, size_bytes: int) -> None:
        if not self._refused_bytes or size_bytes < self._refused_bytes:
            self._refused_bytes = size_bytes
            if self._taken_bytes >= size_bytes:
                self._taken_bytes = 0  # the limit was lowered
            diagnostics.decided("batch size", f"below {size_bytes} bytes", "the endpoint answered 413")
        self._forget_at = monotonic() + self._forget_after_s

    def _attempt(self, payload: Payload, deadline: float) -> Reply:
        try:
            return self._step.post(payload.signal, payload.body, deadline)
        except Exception as error:
            diagnostics.say("export.fault", f"an export failed: {diagnostics.fault_text(error)}", level="error")
            return Reply(MISDIRECTED, error=error)


def _halves(payload: Payload) -> tuple[Payload, Payload] | None:
    if payload.split is None or payload.items < 2:
        return None
    try:
        halves = payload.split()
    except Exception as error:
        diagnostics.say("export.split", f"a batch cannot be split: {diagnostics.fault_text(error)}", level="error")
        return None
    if halves is None:
        return None
    first, second = halves
    if not first.items or not second.items or first.items + second.items != payload.items:
        return None  # it would go on for ever, or the books would not balance
    return first, second
