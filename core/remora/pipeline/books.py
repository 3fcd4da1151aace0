"""The books of one signal: produced = exported + stored + dropped{reason} + queued, always."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Books:
    """What became of everything that was handed over, in items (spans, points, records).

    ``produced``, ``queue_full`` and ``unencodable`` are counted where spans end, the rest where batches leave; each
    side has one writer at a time.
    """

    __slots__ = ("_dropped", "exported", "in_flight", "intake", "stored")

    def __init__(self, intake: Any) -> None:
        self.intake = intake
        self.exported = 0
        self.stored = 0
        self.in_flight = 0
        self._dropped: dict[str, int] = {}

    def settle(self, delivered: int, stored: int, dropped: dict[str, int]) -> None:
        """Takes a batch that was in flight out of it, by its outcome."""
        self.exported += delivered
        self.stored += stored
        for reason, items in dropped.items():
            self._dropped[reason] = self._dropped.get(reason, 0) + items
        self.in_flight -= delivered + stored + sum(dropped.values())

    @property
    def produced(self) -> int:
        return self.intake.produced  # type: ignore[no-any-return]

    @property
    def queued(self) -> int:
        return self.intake.waiting + self.in_flight  # type: ignore[no-any-return]

    @property
    def dropped(self) -> dict[str, int]:
        """By reason; only reasons that occurred."""
        reasons = dict(self._dropped)
        if self.intake.queue_full:
            reasons["queue_full"] = self.intake.queue_full
        if self.intake.unencodable:
            reasons["unencodable"] = self.intake.unencodable
        return reasons

    def balanced(self) -> bool:
        """Whether the conservation law holds at this moment."""
        return self.produced == self.exported + self.stored + sum(self.dropped.values()) + self.queued

    def report(self) -> dict[str, Any]:
        """For ``remora doctor``; JSON-able."""
        return {
            "produced": self.produced,
            "exported": self.exported,
            "stored": self.stored,
            "queued": self.queued,
            "dropped": self.dropped,
            "balanced": self.balanced(),
        }
