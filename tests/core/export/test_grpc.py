"""gRPC with our own bytes against a real grpcio server."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from remora.export.grpc import METHODS, target
from remora.export.grpc_status import reply_to_status, retry_delay_s
from remora.export.reply import MISDIRECTED, REJECTED, RETRYABLE, TOO_LARGE, UNREADABLE
from support.processes import run_python
from support.receiver import Receiver
from support.receiver import partial_success as partial_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

ONCE = {"first_backoff_s": 60.0}  # no second attempt, which might fail in another way


class Service(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Takes any Export call and answers by plan: a status to abort with, bytes to answer, or seconds to wait."""

    def __init__(self) -> None:
        self.plan: list[Any] = []
        self.calls: list[tuple[str, bytes, dict[str, Any]]] = []
        self.lock = threading.Lock()

    def service(self, details: Any) -> Any:
        def export(body: bytes, context: Any) -> bytes:
            with self.lock:
                self.calls.append((details.method, body, dict(details.invocation_metadata)))
                step = self.plan.pop(0) if self.plan else b""
            if isinstance(step, tuple):
                code, text, *trailing = step
                context.set_trailing_metadata(tuple(trailing))
                context.abort(code, text)
            if isinstance(step, float):
                time.sleep(step)
                return b""
            assert isinstance(step, bytes)
            return step

        return grpc.unary_unary_rpc_method_handler(export)


@contextmanager
def serving(credentials: Any = None, options: Any = (), port: int = 0) -> Iterator[tuple[Service, int]]:
    service = Service()
    server = grpc.server(ThreadPoolExecutor(2), handlers=(service,), options=options)
    address = f"127.0.0.1:{port}"
    bound = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    server.start()
    try:
        yield service, bound
    finally:
        server.stop(None).wait()


def test_a_payload_arrives_byte_for_byte_with_its_metadata(deliver: Any, payload: Any) -> None:
    with serving() as (service, port):
        books = deliver(f"http://127.0.0.1:{port}", protocol="grpc", headers={"X-Tenant": "blue", "grpc-evil": "1"})
        assert books.send(payload(3)).delivered == 3
    ((method, body, metadata),) = service.calls
    assert method == METHODS["traces"]
    assert body == payload(3).body
    assert metadata["x-tenant"] == "blue"
    assert "grpc-evil" not in metadata
    assert metadata["user-agent"].startswith("remora/1.2.3")


@pytest.mark.parametrize("signal", ["traces", "metrics", "logs", "profiles"])
def test_each_signal_has_its_own_method(deliver: Any, payload: Any, signal: str) -> None:
    with serving() as (service, port):
        sent = payload()
        sent.signal = signal
        assert deliver(f"http://127.0.0.1:{port}", protocol="grpc").send(sent).delivered == 1
    assert service.calls[0][0] == METHODS[signal]


@pytest.mark.parametrize(("wanted", "used"), [("gzip", "gzip"), ("deflate", "deflate"), ("zstd", "gzip")])
def test_grpc_compresses_by_itself(deliver: Any, payload: Any, wanted: str, used: str) -> None:
    with serving() as (service, port):
        books = deliver(f"http://127.0.0.1:{port}", protocol="grpc", compression=wanted)
        assert books.send(payload(100)).delivered == 100
        assert books.delivery.condition()["codec"] == used
    assert service.calls[0][1] == payload(100).body


def test_passing_trouble_is_waited_out(deliver: Any, payload: Any) -> None:
    with serving() as (service, port):
        service.plan = [(grpc.StatusCode.UNAVAILABLE, "busy"), (grpc.StatusCode.ABORTED, "again")]
        assert deliver(f"http://127.0.0.1:{port}", protocol="grpc").send(payload()).delivered == 1
        assert len(service.calls) == 3


def retry_info(seconds: int, nanos: int = 0) -> bytes:
    packed = AnyMessage()
    packed.Pack(RetryInfo(retry_delay=Duration(seconds=seconds, nanos=nanos)))
    return bytes(Status(code=8, message="slow down", details=[packed]).SerializeToString())


def test_an_exhausted_server_that_says_when_is_asked_again_then(deliver: Any, payload: Any) -> None:
    with serving() as (service, port):
        pause = ("grpc-status-details-bin", retry_info(0, 300_000_000))
        service.plan = [(grpc.StatusCode.RESOURCE_EXHAUSTED, "slow down", pause)]
        started = time.monotonic()
        assert deliver(f"http://127.0.0.1:{port}", protocol="grpc").send(payload()).delivered == 1
        assert 0.3 <= time.monotonic() - started < 1.0


def test_an_exhausted_server_that_does_not_say_when_is_left_alone(deliver: Any, payload: Any) -> None:
    with serving() as (service, port):
        service.plan = [(grpc.StatusCode.RESOURCE_EXHAUSTED, "quota")]
        assert deliver(f"http://127.0.0.1:{port}", protocol="grpc").send(payload()).stored == 1
        assert len(service.calls) == 1


@given(st.integers(0, 2**31), st.integers(0, 10**9 - 1))
def test_the_delay_is_read_as_protobuf_reads_it(seconds: int, nanos: int) -> None:
    assert retry_delay_s(retry_info(seconds, nanos)) == seconds + nanos / 1e9


@given(st.binary(max_size=100))
def test_no_status_details_ever_raise(details: bytes) -> None:
    delay_s = retry_delay_s(details)
    assert delay_s is None or delay_s >= 0


@pytest.mark.parametrize(
    ("code", "details", "verdict"),
    [
        ("UNAVAILABLE", "", RETRYABLE),
        ("CANCELLED", "", RETRYABLE),
        ("DEADLINE_EXCEEDED", "", RETRYABLE),
        ("ABORTED", "", RETRYABLE),
        ("OUT_OF_RANGE", "", RETRYABLE),
        ("DATA_LOSS", "", RETRYABLE),
        ("RESOURCE_EXHAUSTED", "quota", MISDIRECTED),
        ("RESOURCE_EXHAUSTED", "grpc: received message larger than max (5 vs. 4)", TOO_LARGE),
        ("RESOURCE_EXHAUSTED", "gRPC message exceeds maximum size 4: 5", TOO_LARGE),
        ("UNIMPLEMENTED", "unknown service", MISDIRECTED),
        ("UNIMPLEMENTED", 'Decompressor is not installed for grpc-encoding "gzip"', UNREADABLE),
        ("INVALID_ARGUMENT", "", REJECTED),
        ("UNAUTHENTICATED", "", MISDIRECTED),
        ("PERMISSION_DENIED", "", MISDIRECTED),
        ("INTERNAL", "", MISDIRECTED),
        ("UNKNOWN", "", MISDIRECTED),
    ],
)
def test_statuses_mean_what_the_otlp_specification_says(code: str, details: str, verdict: str) -> None:
    assert reply_to_status(code, details, None).verdict == verdict


def test_a_message_above_the_servers_limit_arrives_in_pieces(deliver: Any, payload: Any) -> None:
    with serving(options=[("grpc.max_receive_message_length", 2000)]) as (service, port):
        books = deliver(f"http://127.0.0.1:{port}", protocol="grpc")
        assert books.send(payload(64, filler_bytes=100)).delivered == 64
        assert books.delivery.limit_bytes is not None
        assert len(service.calls) >= 4


def test_a_server_without_the_codec_gets_plain_bytes_from_then_on(deliver: Any, payload: Any) -> None:
    with serving() as (service, port):
        service.plan = [(grpc.StatusCode.UNIMPLEMENTED, "grpc: Decompressor is not installed for grpc-encoding")]
        books = deliver(f"http://127.0.0.1:{port}", protocol="grpc", compression="gzip")
        assert books.send(payload(2)).delivered == 2
        assert books.delivery.condition()["codec"] == "none"


def test_partial_success_is_read_from_the_answer(deliver: Any, payload: Any, said: Any) -> None:
    with serving() as (service, port):
        service.plan = [partial_answer(1, "odd span").body]
        outcome = deliver(f"http://127.0.0.1:{port}", protocol="grpc").send(payload(3))
    assert (outcome.delivered, outcome.dropped) == (2, {"rejected_by_collector": 1})
    assert ExportTraceServiceResponse.FromString(partial_answer(1, "odd span").body).partial_success.rejected_spans == 1
    assert "odd span" in said.only


def test_a_hanging_call_takes_no_longer_than_the_deadline(deliver: Any, payload: Any) -> None:
    with serving() as (service, port):
        service.plan = [1.0]
        started = time.monotonic()
        assert deliver(f"http://127.0.0.1:{port}", protocol="grpc", timeout_s=20.0).send(payload(), 0.3).stored == 1
        assert time.monotonic() - started < 0.6


def test_a_hanging_call_can_be_hastened(deliver: Any, payload: Any) -> None:
    with serving() as (service, port):
        service.plan = [1.0]
        books = deliver(f"http://127.0.0.1:{port}", protocol="grpc", timeout_s=20.0)
        threading.Timer(0.1, lambda: books.delivery.hasten(time.monotonic() + 0.1)).start()
        started = time.monotonic()
        assert books.send(payload(), 20.0).stored == 1
        assert time.monotonic() - started < 0.7


def test_tls_and_mutual_tls(deliver: Any, payload: Any, certificates: Any) -> None:
    def contents(path: str) -> bytes:
        return Path(path).read_bytes()

    pair = (contents(certificates.server[1]), contents(certificates.server[0]))
    credentials = grpc.ssl_server_credentials([pair], contents(certificates.ca), require_client_auth=True)
    with serving(credentials) as (_, port):
        trusted = {
            "certificate": certificates.ca,
            "client_certificate": certificates.client[0],
            "client_key": certificates.client[1],
        }
        assert deliver(f"https://localhost:{port}", protocol="grpc", **trusted).send(payload()).delivered == 1
        assert deliver(f"localhost:{port}", protocol="grpc", **trusted).send(payload()).delivered == 1
        stranger = deliver(f"https://localhost:{port}", protocol="grpc", certificate=certificates.other_ca)
        assert stranger.send(payload(), 0.5).stored == 1


@pytest.mark.parametrize(
    ("endpoint", "insecure", "expected"),
    [
        ("http://collector:4317", False, ("collector:4317", True)),
        ("https://collector:4317/ignored", True, ("collector:4317", False)),
        ("collector:4317", True, ("collector:4317", True)),
        ("collector:4317", False, ("collector:4317", False)),
        ("http://user:word@collector:4317", False, ("collector:4317", True)),
        ("unix:///var/run/collector.sock", True, ("unix:///var/run/collector.sock", True)),
    ],
)
def test_a_scheme_decides_about_tls_and_without_one_the_setting_does(
    endpoint: str, insecure: bool, expected: tuple[str, bool]
) -> None:
    assert target(endpoint, insecure=insecure) == expected


def test_a_collector_that_comes_back_is_found_without_grpcs_long_pauses(
    deliver: Any, payload: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as (_, port):
        books = deliver(f"http://127.0.0.1:{port}", protocol="grpc")
        assert books.send(payload()).delivered == 1
    assert books.send(payload(), 0.2).stored == 1
    shift_s = 0.0
    monkeypatch.setattr("remora.export.retry.monotonic", lambda: time.monotonic() + shift_s)
    with serving(port=port) as (_, again):
        assert again == port
        started = time.monotonic()
        delivered = 0
        while not delivered and time.monotonic() - started < 0.8:  # grpcio itself would wait for a second, then longer
            shift_s += 100.0
            delivered = books.send(payload(), 0.2).delivered
        assert delivered == 1


def test_without_grpcio_one_line_names_the_mend_and_everything_is_stored(
    deliver: Any, payload: Any, said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "grpc", None)
    books = deliver("http://localhost:4317", protocol="grpc")
    assert books.send(payload()).stored == 1
    assert books.send(payload()).stored == 1
    assert "pip install 'remora[grpc]'" in said.only


def test_grpc_to_an_http_port_is_explained(deliver: Any, payload: Any, said: Any) -> None:
    with Receiver() as receiver:
        assert deliver(receiver.url, protocol="grpc").send(payload(), 0.3).stored == 1
    assert f"port {receiver.port} speaks HTTP, not gRPC" in said.lines[0]
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" in said.lines[0]


def test_http_to_a_grpc_port_is_explained(deliver: Any, payload: Any, said: Any) -> None:
    with serving() as (_, port):
        assert deliver(f"http://127.0.0.1:{port}/v1/traces", building=ONCE).send(payload(), 5.0).stored == 1
    assert f"port {port} speaks gRPC, not HTTP" in said.only
    assert "http://127.0.0.1:4318" in said.only
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=grpc" in said.only


def test_refused_credentials_are_explained_without_showing_them(deliver: Any, payload: Any, said: Any) -> None:
    with serving() as (service, port):
        service.plan = [(grpc.StatusCode.UNAUTHENTICATED, "bad token s3cr3t-token")]
        books = deliver(f"http://127.0.0.1:{port}", protocol="grpc", headers={"authorization": "s3cr3t-token"})
        assert books.send(payload()).stored == 1
    assert "OTEL_EXPORTER_OTLP_HEADERS" in said.only
    assert "s3cr3t" not in said.only


def test_a_closed_port_is_explained(deliver: Any, payload: Any, said: Any) -> None:
    with serving() as (_, port):
        pass
    assert deliver(f"http://127.0.0.1:{port}", protocol="grpc").send(payload(), 0.3).stored == 1
    assert f"nobody listens on port {port}" in said.lines[0]


def test_grpcios_own_log_lines_do_not_reach_the_hosts_stderr() -> None:
    program = """
        import os, time
        from concurrent.futures import ThreadPoolExecutor
        from remora.export.deadline import Haste
        from remora.export.grpc import GrpcTransport
        from remora.export.tls import Trust

        def call(port):
            transport = GrpcTransport(
                f"127.0.0.1:{port}", insecure=True, headers={}, timeout_s=2, trust=Trust(None, None, None),
                haste=Haste(), user_agent="test",
            )
            return transport, transport.post("traces", b"", "none", time.monotonic() + 2)

        print(call(%d)[1].verdict)
        import grpc

        class Service(grpc.GenericRpcHandler):
            def service(self, details):
                return grpc.unary_unary_rpc_method_handler(lambda body, context: b"")

        server = grpc.server(ThreadPoolExecutor(1), handlers=(Service(),))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        transport, reply = call(port)
        print(reply.verdict)
        server.stop(None).wait()
        time.sleep(0.1)
        transport.post("traces", b"", "none", time.monotonic() + 1)
        print(os.environ.get("GRPC_VERBOSITY"))
    """
    with serving() as (_, port):
        finished = run_python(program % port, launched=False)
    assert finished.stdout.split() == ["accepted", "accepted", "None"]
    assert finished.stderr == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_makes_a_channel_of_its_own() -> None:
    program = """
        import os, time
        from remora.export.chain import build
        from remora.export.sender import Payload
        from remora.settings import load

        otlp = load({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:%d", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
        delivery = build(otlp.settings.traces_otlp, version="1", fallback=None)
        child = os.fork()
        print(delivery.send(Payload("traces", b"", 1), time.monotonic() + 5).delivered, flush=True)
        if child:
            os.waitpid(child, 0)
        os._exit(0)
    """
    with serving() as (service, port):
        finished = run_python(program % port, launched=False)
        assert finished.stdout.split() == ["1", "1"]
        assert len(service.calls) == 2
