"""One signal's way from its buffer to the export chain, batch by batch, with its books."""

from __future__ import annotations

from math import inf
from time import monotonic

from remora import diagnostics
from remora.pipeline.books import Books
from remora.process.loading import loading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from remora.export.sender import Outcome, Payload, Sender


class Line:
    """Takes batches of at most ``max_items`` and ``max_bytes`` from ``buffer`` and sends them one at a time.

    ``payload(batch) -> Payload`` makes the request; ``chain()`` builds the sender, in the process that uses it, on
    first use; ``last_resort(payload) -> bool`` keeps what can no longer be sent.
    """

    def __init__(
        self,
        buffer: Any,
        intake: Any,
        payload: Callable[[Any], Payload],
        chain: Callable[[], Sender],
        last_resort: Callable[[Payload], bool],
        max_items: int,
        max_bytes: int,
        export_timeout_s: float,
    ) -> None:
        self.buffer = buffer
        self.intake = intake
        self.books = Books(intake)
        self._payload = payload
        self._chain = chain
        self._last_resort = last_resort
        self.max_items = max_items
        self.max_bytes = max_bytes
        self.export_timeout_s = export_timeout_s
        self._sender: Any = None
        self._held: Payload | None = None

    def pending(self) -> bool:
        """Whether anything would be lost if the process ended now."""
        return self.books.queued != 0

    def rest_s(self) -> float:
        """How long nothing is to be sent of this line's own accord."""
        return inf

    def drain(self, deadline: float | None = None, *, last: bool = False) -> None:
        """Sends what waits now, until ``deadline`` (monotonic; None: each batch has the export timeout).

        With ``last``, what is left at the deadline goes to the last resort; otherwise it goes on waiting.
        """
        target = self.intake.produced
        while True:
            if deadline is not None and monotonic() >= deadline:
                if last:
                    self.abandon()
                return
            batch = self._take()
            if batch is None:
                return
            self._send(batch, deadline)
            if deadline is None and self.intake.produced - self.intake.waiting >= target:
                return

    def _take(self) -> Any:
        limit = self._sender.limit_bytes if self._sender is not None else None
        batch = self.buffer.take(self.max_items, min(self.max_bytes, limit) if limit else self.max_bytes)
        if batch is None:
            return None
        self.books.in_flight += batch.items
        self.intake.taken(batch.items, batch.size_bytes)
        return batch

    def _send(self, batch: Any, deadline: float | None) -> None:
        if self._sender is None:
            with loading:
                self._sender = self._chain()
                self._sender.warm()
        try:
            payload = self._payload(batch)
        except Exception as error:
            diagnostics.say("payload", f"a batch cannot be put together: {diagnostics.fault_text(error)}")
            self.books.settle(0, 0, {"unencodable": batch.items})
            return
        self._held = payload
        try:
            outcome: Outcome = self._sender.send(payload, deadline or monotonic() + self.export_timeout_s)
        except Exception as error:
            # Senders do not raise by contract; should one do so all the same, its batch is still accounted for.
            self._keep(payload, f"sender_failed_{type(error).__name__}")
            raise
        if self._held is payload:
            self._held = None
            self.books.settle(outcome.delivered, outcome.stored, outcome.dropped)

    def _keep(self, payload: Payload, reason: str) -> None:
        self._held = None
        if self._last_resort(payload):
            self.books.settle(0, payload.items, {})
        else:
            self.books.settle(0, 0, {reason: payload.items})

    def hasten(self, deadline: float) -> None:
        """The process ends: what is being sent, or waits for a retry, shall be done by ``deadline`` (monotonic)."""
        if self._sender is not None:
            self._sender.hasten(deadline)

    def condition(self) -> dict[str, str]:
        """What the sender says of itself; empty before the first batch."""
        return self._sender.condition() if self._sender is not None else {}

    def abandon(self) -> None:
        """Gives everything that waits, and what hangs in a request, to the last resort."""
        held = self._held
        if held is not None:
            self._keep(held, "exit_deadline")
        while True:
            batch = self._take()
            if batch is None:
                return
            self._keep(self._payload(batch), "exit_deadline")

    def forked(self) -> None:
        """In a forked child: nothing of the parent's is ours."""
        self.buffer.clear()
        self.intake.forget()
        self.books = Books(self.intake)
        self._sender = None
        self._held = None
