"""The shapes in which bytes are handed over and accounted for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol
else:
    Protocol = object


class Payload:
    """One whole OTLP Export*ServiceRequest, uncompressed, and how many items (spans, points, records) it carries.

    `signal` is "traces", "metrics", "logs" or "profiles". `split` halves the payload; it is None, or gives None,
    when nobody can.
    """

    __slots__ = ("body", "items", "signal", "split")

    def __init__(
        self, signal: str, body: bytes, items: int, split: Callable[[], tuple[Payload, Payload] | None] | None = None
    ) -> None:
        self.signal = signal
        self.body = body
        self.items = items
        self.split = split

    def __repr__(self) -> str:
        return f"Payload({self.signal!r}, {len(self.body)} bytes, {self.items} items)"


class Outcome:
    """Where the items of one payload went: delivered + stored + sum(dropped.values()) is all of them, always."""

    __slots__ = ("delivered", "detail", "dropped", "stored")

    # Reasons in `dropped`. Items that could not be delivered are stored; they are dropped only if that failed too.
    REJECTED = "rejected"  # the endpoint called the request invalid
    REJECTED_BY_COLLECTOR = "rejected_by_collector"  # partial success
    TOO_LARGE = "too_large"  # a single item above the endpoint's limit
    UNREACHABLE = "unreachable"  # no connection, or it broke
    TIMEOUT = "timeout"  # no answer before the deadline
    UNAVAILABLE = "unavailable"  # throttled or out of order: 429, 502, 503, 504
    UNAUTHORIZED = "unauthorized"  # 401, 403, 407
    MISDIRECTED = "misdirected"  # the endpoint does not speak OTLP as we were told
    UNSTORED = "unstored"  # the local store was to take them, and did not
    FAULT = "fault"  # our own error

    def __init__(
        self, *, delivered: int = 0, stored: int = 0, dropped: dict[str, int] | None = None, detail: str = ""
    ) -> None:
        self.delivered = delivered
        self.stored = stored
        self.dropped = dropped if dropped is not None else {}
        self.detail = detail

    @property
    def items(self) -> int:
        return self.delivered + self.stored + sum(self.dropped.values())

    def __add__(self, other: Outcome) -> Outcome:
        dropped = dict(self.dropped)
        for reason, count in other.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + count
        return Outcome(
            delivered=self.delivered + other.delivered,
            stored=self.stored + other.stored,
            dropped=dropped,
            detail=other.detail or self.detail,
        )

    def __repr__(self) -> str:
        return f"Outcome(delivered={self.delivered}, stored={self.stored}, dropped={self.dropped}, {self.detail!r})"


class Sender(Protocol):
    """Whatever takes payloads."""

    def send(self, payload: Payload, deadline: float) -> Outcome:
        """Deliver before `deadline` (a time.monotonic() value), or say where the items went instead; never raises."""
