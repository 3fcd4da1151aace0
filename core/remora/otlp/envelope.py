"""What surrounds the telemetry of every signal: resources and scopes are the same in traces, metrics, logs."""

from __future__ import annotations

from remora.otlp.attributes import attributes, sized, text, varint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from remora.telemetry.scope import Scope


class Envelope:
    """One resource, encoded once; ``pieces`` wraps encoded items of scopes into an Export*ServiceRequest."""

    __slots__ = ("_resource", "_schema_url")

    def __init__(self, resource_attributes: dict[str, Any], resource_schema_url: str | None = None) -> None:
        self._resource = sized(b"\x0a", attributes(b"\x0a", resource_attributes))
        self._schema_url = text(b"\x1a", resource_schema_url or "")

    def pieces(self, parts: Iterable[tuple[Scope, int, list[Any]]]) -> list[Any]:
        """The request in pieces, to be joined.

        ``parts`` are (scope, size in bytes, bytes-like pieces); the pieces hold whole fields number 2 (``spans``,
        ``metrics``, ``log_records``). Parts of equal scopes are merged, in the order in which the scopes first appear.
        """
        groups: dict[tuple[bytes, bytes], tuple[list[Any], list[int]]] = {}
        for scope, size_bytes, pieces in parts:
            group = groups.setdefault(scope_frame(scope), ([], []))
            group[0].extend(pieces)
            group[1].append(size_bytes)
        wrapped: list[Any] = [self._resource]
        total = len(self._resource) + len(self._schema_url)
        for (head, tail), (pieces, sizes) in groups.items():
            size = len(head) + sum(sizes) + len(tail)
            start = b"\x12" + varint(size) + head
            wrapped.append(start)
            wrapped.extend(pieces)
            wrapped.append(tail)
            total += len(start) - len(head) + size
        wrapped.append(self._schema_url)
        return [b"\x0a" + varint(total), *wrapped]


def scope_frame(scope: Scope) -> tuple[bytes, bytes]:
    """What stands before and after the items of a scope: the scope itself and its schema URL."""
    content = text(b"\x0a", scope.name) + text(b"\x12", scope.version or "") + attributes(b"\x1a", scope.attributes)
    return sized(b"\x0a", content), text(b"\x1a", scope.schema_url or "")
