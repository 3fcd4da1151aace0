"""Writes small local stores for the commands to read: OTLP by the reference implementation, frames by ours."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from remora.store.writer import Writer

KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
MS = 1_000_000


@dataclass
class Recorded:
    """One span to be; times are in milliseconds after the start of the store's clock."""

    name: str
    kind: str = "internal"
    parent: Recorded | None = None
    service: str = "shop"
    start_ms: float = 0.0
    duration_ms: float = 10.0
    attributes: dict[str, Any] = field(default_factory=dict)
    error: str | None = None  # a status message
    exception: tuple[str, str] | None = None  # type and message
    missing_parent: str | None = None  # hexadecimal, when `parent` is None
    remote: bool = False
    trace_id: bytes = b""
    span_id: bytes = b""

    def __post_init__(self) -> None:
        self.span_id = self.span_id or os.urandom(8)
        if self.parent is not None:
            self.trace_id = self.parent.trace_id
        self.trace_id = self.trace_id or os.urandom(16)


class Store:
    """A store below ``folder``; ``clock_ns`` is where its time begins."""

    def __init__(self, folder: Path, clock_ns: int | None = None) -> None:
        self.folder = folder
        self.clock_ns = clock_ns if clock_ns is not None else time.time_ns() - 1000 * MS
        self._writer = Writer(str(folder), 1 << 26, now_ns=self._now_ns)
        self._written_ms: float | None = None

    def write(self, *spans: Recorded, written_ms: float | None = None) -> None:
        """One frame with these spans; ``written_ms`` after the start of the clock, now by default."""
        self._written_ms = written_ms
        assert self._writer.write("traces", self._body(spans), len(spans))

    def write_raw(self, body: bytes) -> None:
        self._written_ms = None
        assert self._writer.write("traces", body, 1)

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.frames"))

    def _now_ns(self) -> int:
        return time.time_ns() if self._written_ms is None else self.clock_ns + int(self._written_ms * MS)

    def _body(self, spans: tuple[Recorded, ...]) -> bytes:
        request = ExportTraceServiceRequest()
        for span in spans:
            resource = request.resource_spans.add()
            resource.resource.attributes.append(_pair("service.name", span.service))
            scope = resource.scope_spans.add()
            scope.scope.name = "remora.test"
            record = scope.spans.add(
                trace_id=span.trace_id,
                span_id=span.span_id,
                name=span.name,
                kind=SpanMessage.SpanKind.ValueType(KINDS[span.kind]),
                start_time_unix_nano=self.clock_ns + int(span.start_ms * MS),
                end_time_unix_nano=self.clock_ns + int((span.start_ms + span.duration_ms) * MS),
                flags=0x301 if span.remote else 0x101,
            )
            if span.parent is not None:
                record.parent_span_id = span.parent.span_id
            elif span.missing_parent is not None:
                record.parent_span_id = bytes.fromhex(span.missing_parent)
            record.attributes.extend(_pair(key, value) for key, value in span.attributes.items())
            if span.error is not None or span.exception is not None:
                record.status.code = Status.STATUS_CODE_ERROR
                record.status.message = span.error or ""
            if span.exception is not None:
                event = record.events.add(name="exception", time_unix_nano=record.end_time_unix_nano)
                event.attributes.append(_pair("exception.type", span.exception[0]))
                event.attributes.append(_pair("exception.message", span.exception[1]))
        return request.SerializeToString()


def _pair(key: str, value: Any) -> KeyValue:
    if isinstance(value, bool):
        return KeyValue(key=key, value=AnyValue(bool_value=value))
    if isinstance(value, int):
        return KeyValue(key=key, value=AnyValue(int_value=value))
    return KeyValue(key=key, value=AnyValue(string_value=str(value)))


def order(service: str = "shop", start_ms: float = 0.0) -> list[Recorded]:
    """An order in a shop that asks a second service for the stock: seven spans, two services."""

    def post(status: int, **more: str) -> dict[str, Any]:
        return {"http.request.method": "POST", "http.response.status_code": status, **more}

    url = {"url.full": "http://127.0.0.1:8001/reservations?token=REDACTED"}
    root = Recorded("POST /orders", "server", None, service, start_ms, 23.1, post(201))
    select = query("SELECT name FROM products WHERE id = ?", root, start_ms + 0.4, 0.2)
    call = Recorded("POST", "client", root, service, start_ms + 1.2, 17.5, post(200, **url))
    reserve = Recorded("POST /reservations", "server", call, "stock", start_ms + 4.0, 12.0, post(200), remote=True)
    look = query("SELECT pieces FROM stock WHERE product = ?", reserve, start_ms + 5.0, 0.15)
    take = query("UPDATE stock SET pieces = pieces - ?", reserve, start_ms + 6.0, 7.0)
    insert = query("INSERT INTO orders (product, pieces) VALUES (?, ?)", root, start_ms + 20.0, 2.2)
    return [root, select, call, reserve, look, take, insert]


def query(text: str, parent: Recorded, start_ms: float, duration_ms: float = 1.0) -> Recorded:
    """A SQLite query, named after its verb."""
    attributes = {"db.system.name": "sqlite", "db.query.text": text}
    return Recorded(text.partition(" ")[0], "client", parent, parent.service, start_ms, duration_ms, attributes)
