"""A trace as JSON: a flat list of spans in the order of the tree, each with its depth."""

from __future__ import annotations

from math import isfinite

from remora.cli.traces.labels import KINDS, kind_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from remora.cli.traces.tree import Node, Trace

_STATUSES = ("unset", "ok", "error")


def as_dict(trace: Trace) -> dict[str, Any]:
    return {
        "trace_id": trace.trace_id,
        "root": {"service": trace.head.service, "name": trace.head.span.name},
        "start_unix_nano": trace.start_ns,
        "duration_ns": trace.duration_ns,
        "services": trace.services,
        "error": trace.failed,
        "span_count": len(trace.nodes),
        "spans": [_span(node, depth, orphan=node in trace.orphans) for node, depth in trace.walk()],
    }


def _span(node: Node, depth: int, orphan: bool) -> dict[str, Any]:
    span = node.span
    return {
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id or None,
        "parent_missing": orphan,
        "depth": depth,
        "service": node.service,
        "scope": node.scope,
        "name": span.name,
        "kind": kind_name(span.kind) if span.kind else KINDS[1],
        "start_unix_nano": span.start_time_unix_nano,
        "duration_ns": node.duration_ns,
        "status": _STATUSES[span.status_code] if 0 <= span.status_code < len(_STATUSES) else str(span.status_code),
        "status_message": span.status_message or None,
        "attributes": _plain(span.attributes),
        "events": [
            {"name": event.name, "time_unix_nano": event.time_unix_nano, "attributes": _plain(event.attributes)}
            for event in span.events
        ],
        "links": [
            {"trace_id": link.trace_id, "span_id": link.span_id, "attributes": _plain(link.attributes)}
            for link in span.links
        ],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, float) and not isfinite(value):
        return str(value)  # JSON has no such numbers
    return value
