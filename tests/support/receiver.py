"""A loopback OTLP/HTTP receiver that keeps what it was sent and misbehaves on request."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import sys
import threading
import time
import zlib
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

from google.protobuf.message import DecodeError
from opentelemetry import context
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from typing_extensions import Self

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUSES = ("unset", "ok", "error")
PARSERS: Mapping[str, Callable[[], Any]] = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}


@dataclass(frozen=True)
class Answer:
    """How one request is answered; the default is what a healthy collector says."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay_s: float = 0.0  # before the answer
    hang: bool = False  # never answer; the connection stays open until the receiver closes
    drop: bool = False  # close the connection instead of answering
    raw: bytes | None = None  # these bytes instead of an HTTP answer
    drip_s: float = 0.0  # pause after each byte of the answer
    chunked: bool = False
    close: bool = False  # close the connection after the answer


def partial_success(rejected: int, message: str) -> Answer:
    """A 200 in which the collector says that it took only some of the items."""
    response = ExportTraceServiceResponse()
    response.partial_success.rejected_spans = rejected
    response.partial_success.error_message = message
    return Answer(body=response.SerializeToString())


@dataclass(frozen=True)
class Request:
    """One request as it came over the wire, and what it was answered."""

    method: str
    path: str
    headers: Mapping[str, str]  # names in lower case
    raw: bytes  # as sent, still compressed
    body: bytes  # decompressed; b"" when it could not be read
    message: Any | None  # the parsed Export*ServiceRequest
    status: int  # 0 when nothing was answered
    connection: int  # number of the TCP connection, from 1
    received_s: float  # time.monotonic()

    @property
    def encoding(self) -> str:
        return self.headers.get("content-encoding", "none")


class Receiver:
    """Context manager: listens on 127.0.0.1, answers by plan, remembers everything.

    `answers` are used up one per request (an int is a status), then every request gets `otherwise`.
    `refused_codecs` maps a Content-Encoding to the status that refuses it; `size_limit_bytes` is a limit on the
    decompressed body, answered with 413. `tls` is (certificate file, key file); `client_ca` asks for a client
    certificate signed by that CA.
    """

    def __init__(
        self,
        *answers: Answer | int,
        otherwise: Answer | int = 200,
        refused_codecs: Mapping[str, int] | None = None,
        size_limit_bytes: int | None = None,
        tls: tuple[str, str] | None = None,
        client_ca: str | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
    ) -> None:
        self.requests: list[Request] = []
        self.refused_codecs = dict(refused_codecs or {})
        self.size_limit_bytes = size_limit_bytes
        self.connections = 0
        self._answers = deque(_answer(each) for each in answers)
        self._otherwise = _answer(otherwise)
        self._arrived = threading.Condition()
        self._closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._tls: ssl.SSLContext | None = None
        if tls is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*tls)
            if client_ca is not None:
                self._tls.verify_mode = ssl.CERT_REQUIRED
                self._tls.load_verify_locations(client_ca)
        self._server = _Server((host, port), self)
        self.host = host
        self.port = int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Base URL, as in OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"{'https' if self._tls else 'http'}://{self.host}:{self.port}"

    @property
    def traces_url(self) -> str:
        return self.url + "/v1/traces"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and cut every open connection."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self.cut_connections()
        self._thread.join(5)

    def cut_connections(self) -> None:
        """Close every connection, as a restarting collector or an idle timeout does."""
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def plan(self, *answers: Answer | int) -> None:
        """Append answers for the requests to come."""
        self._answers.extend(_answer(each) for each in answers)

    # what arrived -------------------------------------------------------------------------------------------------

    @property
    def accepted(self) -> list[Request]:
        """The requests answered with 200, as a collector counts them."""
        return [request for request in list(self.requests) if request.status == 200]

    def spans(self) -> list[dict[str, Any]]:
        """Every accepted span as a plain dict, in order of arrival."""
        return [span for request in self.accepted if request.path == "/v1/traces" for span in _spans(request.message)]

    def logs(self) -> list[dict[str, Any]]:
        """Every accepted log record as a plain dict, in order of arrival."""
        return [record for request in self.accepted if request.path == "/v1/logs" for record in _logs(request.message)]

    def metrics(self) -> list[dict[str, Any]]:
        """Every accepted metric as {name, unit, type, points, scope, resource}; points are dicts."""
        return [
            each for request in self.accepted if request.path == "/v1/metrics" for each in _metrics(request.message)
        ]

    def wait_for(self, count: int, timeout_s: float = 5.0) -> list[dict[str, Any]]:
        """The spans once there are `count` of them; AssertionError with what came when the time is over."""
        self._wait(lambda: len(self.spans()) >= count, timeout_s)
        spans = self.spans()
        names = [span["name"] for span in spans]
        assert len(spans) >= count, f"{len(spans)} of {count} spans within {timeout_s} s: {names}"
        return spans

    def wait_for_requests(self, count: int, timeout_s: float = 5.0) -> list[Request]:
        """The requests once there are `count` of them, whatever they were answered."""
        self._wait(lambda: len(self.requests) >= count, timeout_s)
        assert len(self.requests) >= count, f"{len(self.requests)} of {count} requests within {timeout_s} s"
        return list(self.requests)

    def wait_until(self, holds: Callable[[Receiver], bool], timeout_s: float = 5.0) -> None:
        """Block until `holds(self)`, looked at after each request."""
        self._wait(lambda: holds(self), timeout_s)
        assert holds(self), f"not so within {timeout_s} s; {len(self.requests)} requests, {len(self.spans())} spans"

    def _wait(self, ready: Callable[[], bool], timeout_s: float) -> None:
        with self._arrived:
            self._arrived.wait_for(ready, timeout_s)

    # called by the handler ----------------------------------------------------------------------------------------

    def _next(self) -> Answer:
        with self._arrived:
            return self._answers.popleft() if self._answers else self._otherwise

    def _keep(self, request: Request) -> None:
        with self._arrived:
            self.requests.append(request)
            self._arrived.notify_all()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], receiver: Receiver) -> None:
        self.receiver = receiver
        super().__init__(address, BaseHTTPRequestHandler)  # finish_request names the real handler

    def finish_request(self, request: Any, client_address: Any) -> None:
        with self.receiver._arrived:
            self.receiver.connections += 1
            number = self.receiver.connections
        if self.receiver._tls is not None:
            request.settimeout(5)
            try:
                request = self.receiver._tls.wrap_socket(request, server_side=True)
            except OSError:
                return  # the client will say why
            request.settimeout(None)
        self.receiver._open.add(request)
        try:
            _Handler(request, client_address, self, number=number)
        except OSError:
            pass  # the client went away, which tests do on purpose
        finally:
            self.receiver._open.discard(request)
            try:
                request.close()
            except OSError:
                pass

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError | ValueError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout: ClassVar[float | None] = None

    def __init__(self, request: Any, client_address: Any, server: _Server, *, number: int) -> None:
        self.number = number
        super().__init__(request, client_address, server)

    def handle_one_request(self) -> None:
        """Untraced: a collector is another process."""
        token = context.attach(context.set_value("suppress_instrumentation", True))
        try:
            super().handle_one_request()
        finally:
            context.detach(token)

    def log_message(self, *_: Any) -> None:
        """Silent: tests read `requests`."""

    def do_POST(self) -> None:
        receiver = self.server.receiver
        raw = self._read_body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer, body, message = self._judge(raw, headers)
        silent = answer.drop or answer.hang or answer.raw is not None
        if answer.delay_s:
            receiver._closing.wait(answer.delay_s)
        receiver._keep(
            Request(
                method=self.command,
                path=self.path,
                headers=headers,
                raw=raw,
                body=body,
                message=message,
                status=0 if silent else answer.status,
                connection=self.number,
                received_s=time.monotonic(),
            )
        )
        if answer.hang:
            receiver._closing.wait()
        if answer.drop or answer.hang:
            self.close_connection = True
        elif answer.raw is not None:
            self._write(answer.raw, answer.drip_s)
            self.close_connection = True
        else:
            self._respond(answer)

    def do_GET(self) -> None:
        self._respond(Answer(405))

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(body)

    def _judge(self, raw: bytes, headers: Mapping[str, str]) -> tuple[Answer, bytes, Any | None]:
        """The answer that a collector would give, unless the plan says otherwise."""
        receiver = self.server.receiver
        encoding = headers.get("content-encoding", "none")
        if encoding in receiver.refused_codecs:
            return Answer(receiver.refused_codecs[encoding], body=b"unsupported Content-Encoding"), b"", None
        try:
            body = decompress(raw, encoding)
        except (ValueError, OSError, zlib.error, _zstd_error()) as error:
            return Answer(400, body=str(error).encode()), b"", None
        if receiver.size_limit_bytes is not None and len(body) > receiver.size_limit_bytes:
            return Answer(413), body, None
        parser = PARSERS.get(self.path.split("?")[0])
        if parser is None and self.path not in ("/", "/moved"):
            return Answer(404, body=b"404 page not found"), body, None
        if headers.get("content-type") != "application/x-protobuf":
            return Answer(415), body, None
        message = None
        if parser is not None:
            message = parser()
            try:
                message.ParseFromString(body)
            except DecodeError as error:
                return Answer(400, body=str(error).encode()), body, None
        return receiver._next(), body, message

    def _respond(self, answer: Answer) -> None:
        reason = self.responses.get(answer.status, ("Unknown",))[0]
        lines = [f"HTTP/1.1 {answer.status} {reason}"]
        if "Content-Type" not in answer.headers:
            lines.append("Content-Type: application/x-protobuf")
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        if answer.chunked:
            lines.append("Transfer-Encoding: chunked")
            half = len(answer.body) // 2
            chunks = [chunk for chunk in (answer.body[:half], answer.body[half:]) if chunk]
            body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
        else:
            lines.append(f"Content-Length: {len(answer.body)}")
            body = answer.body
        if answer.close:
            lines.append("Connection: close")
            self.close_connection = True
        self._write("\r\n".join(lines).encode() + b"\r\n\r\n" + body, answer.drip_s)

    def _write(self, data: bytes, drip_s: float) -> None:
        if not drip_s:
            self.wfile.write(data)
            return
        for index in range(len(data)):
            if self.server.receiver._closing.wait(drip_s):
                return
            self.wfile.write(data[index : index + 1])
            self.wfile.flush()


def decompress(raw: bytes, encoding: str) -> bytes:
    """The body behind a Content-Encoding; ValueError where a collector would answer 400."""
    if encoding in ("none", "", "identity"):
        return raw
    if encoding == "gzip":
        return gzip.decompress(raw)
    if encoding in ("deflate", "zlib"):
        return zlib.decompress(raw)
    if encoding == "zstd":
        import zstandard

        reader = zstandard.ZstdDecompressor().decompressobj()
        body = reader.decompress(raw)
        if not reader.eof or reader.unused_data:
            raise ValueError("a zstd body must be one whole frame")
        return body
    raise ValueError(f"unsupported Content-Encoding: {encoding}")


def _zstd_error() -> type[Exception]:
    try:
        import zstandard
    except ImportError:
        return ValueError
    return zstandard.ZstdError


def _answer(each: Answer | int) -> Answer:
    return Answer(each) if isinstance(each, int) else each


# OTLP messages as plain dicts -------------------------------------------------------------------------------------


def _value(value: AnyValue) -> Any:
    which = value.WhichOneof("value")
    if which is None:
        return None
    if which == "array_value":
        return [_value(each) for each in value.array_value.values]
    if which == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, which)


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _scope(scope: Any) -> dict[str, Any]:
    return {"name": scope.name, "version": scope.version, "attributes": _attributes(scope.attributes)}


def _spans(message: Any) -> Iterable[dict[str, Any]]:
    for group in message.resource_spans:
        resource = _attributes(group.resource.attributes)
        for scoped in group.scope_spans:
            for span in scoped.spans:
                yield {
                    "name": span.name,
                    "kind": KINDS[span.kind],
                    "trace_id": span.trace_id.hex(),
                    "span_id": span.span_id.hex(),
                    "parent_id": span.parent_span_id.hex(),
                    "trace_state": span.trace_state,
                    "flags": span.flags,
                    "start_ns": span.start_time_unix_nano,
                    "end_ns": span.end_time_unix_nano,
                    "attributes": _attributes(span.attributes),
                    "dropped_attributes": span.dropped_attributes_count,
                    "status": STATUSES[span.status.code],
                    "status_message": span.status.message,
                    "events": [
                        {
                            "name": event.name,
                            "time_ns": event.time_unix_nano,
                            "attributes": _attributes(event.attributes),
                        }
                        for event in span.events
                    ],
                    "links": [
                        {
                            "trace_id": link.trace_id.hex(),
                            "span_id": link.span_id.hex(),
                            "attributes": _attributes(link.attributes),
                        }
                        for link in span.links
                    ],
                    "scope": _scope(scoped.scope),
                    "schema_url": scoped.schema_url or group.schema_url,
                    "resource": resource,
                }


def _logs(message: Any) -> Iterable[dict[str, Any]]:
    for group in message.resource_logs:
        resource = _attributes(group.resource.attributes)
        for scoped in group.scope_logs:
            for record in scoped.log_records:
                yield {
                    "body": _value(record.body),
                    "severity": record.severity_text,
                    "severity_number": record.severity_number,
                    "event_name": record.event_name,
                    "time_ns": record.time_unix_nano,
                    "trace_id": record.trace_id.hex(),
                    "span_id": record.span_id.hex(),
                    "attributes": _attributes(record.attributes),
                    "scope": _scope(scoped.scope),
                    "resource": resource,
                }


def _metrics(message: Any) -> Iterable[dict[str, Any]]:
    for group in message.resource_metrics:
        resource = _attributes(group.resource.attributes)
        for scoped in group.scope_metrics:
            for metric in scoped.metrics:
                which = metric.WhichOneof("data")
                data = getattr(metric, which) if which else None
                yield {
                    "name": metric.name,
                    "unit": metric.unit,
                    "type": which,
                    "temporality": getattr(data, "aggregation_temporality", 0),
                    "monotonic": getattr(data, "is_monotonic", None),
                    "points": [_point(point) for point in (data.data_points if data is not None else ())],
                    "scope": _scope(scoped.scope),
                    "resource": resource,
                }


def _point(point: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"attributes": _attributes(point.attributes)}
    for name in ("count", "sum", "min", "max", "scale", "zero_count"):
        if hasattr(point, name):
            plain[name] = getattr(point, name)
    for name in ("bucket_counts", "explicit_bounds"):
        if hasattr(point, name):
            plain[name] = list(getattr(point, name))
    if hasattr(point, "as_int"):
        which = point.WhichOneof("value")
        plain["value"] = getattr(point, which) if which else None
    return plain


def _serve(arguments: list[str]) -> None:
    """`python tests/support/receiver.py --port N`: print each arriving span as one JSON line until interrupted."""
    port = int(arguments[arguments.index("--port") + 1]) if "--port" in arguments else 4318
    shown = 0
    with Receiver(port=port) as receiver:
        print(json.dumps({"listening": receiver.url}), flush=True)
        while True:
            time.sleep(0.1)
            spans = receiver.spans()
            for span in spans[shown:]:
                print(json.dumps(span, default=repr), flush=True)
            shown = len(spans)


if __name__ == "__main__":
    try:
        _serve(sys.argv[1:])
    except KeyboardInterrupt:
        pass
