"""OTLP over gRPC through grpcio, with our own bytes: no protobuf runtime, no generated stubs."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from time import monotonic

from remora import diagnostics
from remora.export.compress import Codec, as_it_is
from remora.export.deadline import Budget, DeadlineError
from remora.export.grpc_status import GrpcMissingError, reply_to_status
from remora.export.reply import ACCEPTED, MISDIRECTED, RETRYABLE, Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from typing import Any, Final

    from remora.export.deadline import Haste
    from remora.export.tls import Trust

METHODS: Final = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "profiles": "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
}
_VERBOSITY: Final = "GRPC_VERBOSITY"
_MISSING: Final = (
    "OTEL_EXPORTER_OTLP_PROTOCOL=grpc needs the package grpcio: pip install 'remora[grpc]', or use http/protobuf"
)


def codecs(wanted: str) -> list[Codec]:
    """What gRPC compresses with by itself: our bytes pass as they are, only the names count."""
    if wanted == "zstd":
        diagnostics.decided("compression", "gzip", "gRPC has no zstd")
        diagnostics.say("compression.grpc", "gRPC has no zstd compression; using gzip", level="debug")
        wanted = "gzip"
    return [Codec(name, as_it_is) for name in ((wanted, "none") if wanted in ("gzip", "deflate") else ("none",))]


class GrpcTransport:
    """Calls the Export method of one target; its channel is made in the process that uses it."""

    def __init__(
        self,
        target: str,
        *,
        insecure: bool,
        headers: Mapping[str, str],
        timeout_s: float,
        trust: Trust,
        haste: Haste,
        user_agent: str,
        suppress: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._target = target
        self._insecure = insecure
        self._metadata = tuple(pair for pair in map(_metadatum, headers.items()) if pair is not None)
        self._timeout_s = timeout_s
        self._trust = trust
        self._haste = haste
        self._user_agent = user_agent
        self._suppress = suppress
        self._channel: Any = None
        self._stamps: tuple[object, ...] = ()
        self._pid = 0

    def post(self, signal: str, body: bytes, encoding: str, deadline: float) -> Reply:
        budget = Budget(min(deadline, monotonic() + self._timeout_s), self._haste)
        budget.doing = "waiting for an answer"
        try:
            grpc = _load()
        except Exception as error:  # a broken binary wheel raises more than ImportError
            return Reply(MISDIRECTED, error=GrpcMissingError(f"{_MISSING} ({type(error).__name__})"))
        try:
            with self._suppress():
                return self._call(grpc, METHODS[signal], body, encoding, budget)
        except DeadlineError as error:
            return Reply(RETRYABLE, error=error)
        except Exception as error:
            return Reply(MISDIRECTED, error=error)

    def close(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None and self._pid == os.getpid():  # a forked channel must not be touched
            channel.close()

    def _call(self, grpc: Any, method: str, body: bytes, encoding: str, budget: Budget) -> Reply:
        compression = {"gzip": grpc.Compression.Gzip, "deflate": grpc.Compression.Deflate}.get(
            encoding, grpc.Compression.NoCompression
        )
        export = self._connected(grpc).unary_unary(method, request_serializer=None, response_deserializer=None)
        call = export.future(
            body, timeout=max(0.001, budget.remaining_s()), metadata=self._metadata, compression=compression
        )
        while True:
            try:
                answer: bytes = call.result(timeout=budget.slice_s())
            except grpc.FutureTimeoutError:
                continue
            except DeadlineError:
                call.cancel()
                raise
            except grpc.RpcError as error:
                return self._failed(error)
            return Reply(ACCEPTED, status=200, body=answer)

    def _failed(self, error: Any) -> Reply:
        code = error.code().name
        if code == "UNAVAILABLE":
            self.close()  # a channel waits ever longer before it connects again; our own retry decides that
        details = {key: value for key, value in (error.trailing_metadata() or ()) if key == "grpc-status-details-bin"}
        return reply_to_status(code, error.details() or "", details.get("grpc-status-details-bin"))

    def _connected(self, grpc: Any) -> Any:
        stamps = self._trust.stamps()
        if self._channel is None or self._pid != os.getpid() or stamps != self._stamps:
            self.close()
            options = (
                ("grpc.primary_user_agent", self._user_agent),
                ("grpc.use_local_subchannel_pool", 1),  # else a new channel inherits the old one's back-off
                ("grpc.enable_retries", 0),
            )
            if self._insecure:
                self._channel = grpc.insecure_channel(self._target, options)
            else:
                roots, key, chain = self._trust.pem()
                self._channel = grpc.secure_channel(
                    self._target, grpc.ssl_channel_credentials(roots, key, chain), options
                )
            self._pid = os.getpid()
            self._stamps = stamps
        return self._channel


def _load() -> Any:
    """grpcio, loaded by the worker, if at all: 25 MB. What it logs by itself would end up on the host's stderr."""
    ours = "grpc" not in sys.modules and _VERBOSITY not in os.environ
    if ours:
        os.putenv(_VERBOSITY, "NONE")  # read once, by C code; the host's os.environ stays as it is
    try:
        import grpc
    finally:
        if ours:
            os.unsetenv(_VERBOSITY)
    return grpc


def target(endpoint: str, *, insecure: bool) -> tuple[str, bool]:
    """The gRPC target of an endpoint and whether it goes without TLS; a scheme decides that, else `insecure` does."""
    scheme, separator, rest = endpoint.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        return endpoint, insecure
    authority = rest.split("/", 1)[0].rpartition("@")[2]
    return authority, scheme.lower() == "http"


def _metadatum(header: tuple[str, str]) -> tuple[str, str | bytes] | None:
    name, value = header[0].lower(), header[1]
    binary = name.endswith("-bin")
    legal = name.isascii() and all(mark.isalnum() or mark in "-_." for mark in name) and not name.startswith("grpc-")
    if not name or not legal or not (binary or (value.isascii() and value.isprintable())):
        diagnostics.say(
            f"export.header.{name}",
            f"the header {name!r} in OTEL_EXPORTER_OTLP_HEADERS cannot be sent over gRPC; left out",
        )
        return None
    return name, value.encode() if binary else value
