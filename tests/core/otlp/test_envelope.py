"""Resource, scopes and attributes are the same for every signal."""

from __future__ import annotations

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from remora.otlp.attributes import any_value, attributes, sized
from remora.otlp.envelope import Envelope
from remora.telemetry.scope import Scope


def test_log_records_can_be_sent_in_the_same_envelope() -> None:
    record = sized(b"\x2a", any_value("it happened")) + attributes(b"\x32", {"k": 1, "nested": {"x": (True, None)}})
    field = sized(b"\x12", record)
    envelope = Envelope({"service.name": "shop"}, "https://r")
    app, library = Scope("app", "1", "https://s", {"a": True}), Scope("library")
    parts = [(app, len(field), [field]), (library, 2 * len(field), [field, field]), (app, len(field), [field])]
    request = ExportLogsServiceRequest.FromString(b"".join(envelope.pieces(parts)))
    (resource,) = request.resource_logs
    assert (resource.resource.attributes[0].value.string_value, resource.schema_url) == ("shop", "https://r")
    assert [(logs.scope.name, logs.scope.version, logs.schema_url) for logs in resource.scope_logs] == [
        ("app", "1", "https://s"),
        ("library", "", ""),
    ]
    assert [len(logs.log_records) for logs in resource.scope_logs] == [2, 2]
    assert resource.scope_logs[0].log_records[0] == LogRecord.FromString(record)
    assert resource.scope_logs[0].log_records[0].body.string_value == "it happened"
    assert [pair.key for pair in resource.scope_logs[0].log_records[0].attributes] == ["k", "nested"]
