"""The line of what is not queued but collected: metrics, every interval, before a flush and at the end."""

from __future__ import annotations

from math import inf
from time import monotonic

from remora import diagnostics
from remora.pipeline.line import Line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from remora.export.sender import Payload, Sender


class Collecting:
    """What collections brought, counted like an intake."""

    def __init__(self) -> None:
        self.forget()

    def came(self, taken: int, faulty: int) -> None:
        """A collection brought so many items, and so many that cannot be encoded."""
        self.produced += taken + faulty
        self.unencodable += faulty
        self.waiting += taken

    def taken(self, items: int, _size_bytes: int) -> None:
        """A batch was taken out of the buffer."""
        self.waiting -= items

    def forget(self) -> None:
        """A forked child starts with empty books."""
        self.produced = self.unencodable = self.waiting = self.queue_full = 0


class PeriodicLine(Line):
    """Collects into its buffer every ``interval_s`` as long as ``holds()``, and sends what came.

    ``collect(timeout_s)`` returns what ``buffer.extend`` takes; ``changed()`` tells whether it would bring news.
    """

    def __init__(
        self,
        buffer: Any,
        payload: Callable[[Any], Payload],
        chain: Callable[[], Sender],
        last_resort: Callable[[Payload], bool],
        max_items: int,
        max_bytes: int,
        export_timeout_s: float,
        *,
        interval_s: float,
        collect: Callable[[float], Any],
        changed: Callable[[], bool],
        holds: Callable[[], bool],
    ) -> None:
        super().__init__(buffer, Collecting(), payload, chain, last_resort, max_items, max_bytes, export_timeout_s)
        self._interval_s = interval_s
        self._collect = collect
        self._changed = changed
        self._holds = holds
        self._due_at = monotonic() + interval_s

    def begin_interval(self) -> None:
        """Something was measured for the first time in a while: an interval that is over begins anew."""
        if monotonic() >= self._due_at:
            self._due_at = monotonic() + self._interval_s

    def pending(self) -> bool:
        return self._changed() or super().pending()

    def rest_s(self) -> float:
        return max(self._due_at - monotonic(), 0.0) if self._holds() else inf

    def drain(self, deadline: float | None = None, *, last: bool = False) -> None:
        if self._changed() if deadline is not None else self.rest_s() <= 0.0:
            self._gather(deadline)
        super().drain(deadline, last=last)

    def abandon(self) -> None:
        if self._changed():
            self._gather(monotonic())
        super().abandon()

    def forked(self) -> None:
        super().forked()
        self._due_at = monotonic() + self._interval_s

    def _gather(self, deadline: float | None) -> None:
        now = monotonic()
        self._due_at = now + self._interval_s
        timeout_s = self.export_timeout_s if deadline is None else max(deadline - now, 0.0)
        try:
            taken, faulty = self.buffer.extend(self._collect(timeout_s))
        except Exception as error:
            diagnostics.say("metrics", f"metrics cannot be collected: {diagnostics.fault_text(error)}", every_s=60.0)
            return
        if faulty:
            diagnostics.say(
                "metrics-unencodable",
                f"{faulty} data points are of no form that OTLP has and are dropped",
                every_s=60.0,
            )
        self.intake.came(taken, faulty)
