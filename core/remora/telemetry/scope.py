"""The instrumentation scope: who made the telemetry."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Scope:
    """Name and version of an instrumentation; one object per scope, so that it can be compared by identity.

    ``slot`` belongs to the encoder: it keeps the scope's open buffer there and saves a dictionary look-up per span.
    """

    __slots__ = ("attributes", "name", "schema_url", "slot", "version")

    def __init__(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.schema_url = schema_url
        self.attributes = attributes
        self.slot: Any = None

    def __repr__(self) -> str:
        return f"Scope({self.name!r}, {self.version!r})"
