"""OTEL_TRACES_EXPORTER=store: everything goes to the local store, whoever listens."""

from __future__ import annotations

from remora.export.fallback import Settlement
from remora.export.sender import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from remora.export.sender import Payload


class Storing:
    """A Sender with no network behind it; `keep` stores a payload and tells whether it could."""

    limit_bytes: int | None = None

    def __init__(self, keep: Callable[[Payload], bool]) -> None:
        self._settlement = Settlement(keep)

    def send(self, payload: Payload, deadline: float) -> Outcome:  # noqa: ARG002 - a Sender's
        return self._settlement.store(payload, Outcome.UNSTORED, "the local store did not take it")

    def warm(self) -> None:
        """There is nothing to load."""

    def hasten(self, deadline: float) -> None:
        """There is nothing to wait for."""

    def condition(self) -> dict[str, str]:
        """For `remora doctor`."""
        return {"codec": "", "limit_bytes": "", "status": "", "trouble": "", "state": "storing"}

    def close(self) -> None:
        """There is nothing open."""
