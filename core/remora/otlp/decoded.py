"""Traces as they were read from OTLP: plain records for people's eyes and tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Event:
    """Something that happened during a span."""

    name: str = ""
    time_unix_nano: int = 0
    attributes: dict[str, Any] = field(default_factory=dict)
    dropped_attributes_count: int = 0


@dataclass(slots=True)
class Link:
    """Another span that a span points to; ids in hexadecimal."""

    trace_id: str = ""
    span_id: str = ""
    trace_state: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    dropped_attributes_count: int = 0
    flags: int = 0


@dataclass(slots=True)
class Span:
    """A span; ids in hexadecimal ("" for none), times in Unix nanoseconds.

    ``kind``: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer. ``status_code``: 0 unset, 1 ok, 2
    error. ``flags``: the W3C flags in the low byte, 0x100 if it is known whether the parent is remote, 0x200 if it is.
    """

    trace_id: str = ""
    span_id: str = ""
    trace_state: str = ""
    parent_span_id: str = ""
    name: str = ""
    kind: int = 0
    start_time_unix_nano: int = 0
    end_time_unix_nano: int = 0
    attributes: dict[str, Any] = field(default_factory=dict)
    dropped_attributes_count: int = 0
    events: list[Event] = field(default_factory=list)
    dropped_events_count: int = 0
    links: list[Link] = field(default_factory=list)
    dropped_links_count: int = 0
    status_code: int = 0
    status_message: str = ""
    flags: int = 0


@dataclass(slots=True)
class ScopeSpans:
    """The spans of one instrumentation scope."""

    name: str = ""
    version: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    dropped_attributes_count: int = 0
    schema_url: str = ""
    spans: list[Span] = field(default_factory=list)


@dataclass(slots=True)
class ResourceSpans:
    """The spans of one resource, by scope."""

    attributes: dict[str, Any] = field(default_factory=dict)
    dropped_attributes_count: int = 0
    schema_url: str = ""
    scopes: list[ScopeSpans] = field(default_factory=list)
