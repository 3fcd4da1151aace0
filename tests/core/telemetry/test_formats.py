"""B3, Jaeger and X-Ray: what each writes and reads, as OpenTelemetry's own packages for them do."""

from __future__ import annotations

import pytest

from remora.conventions.http_server import HttpServerCall
from remora.operation.propagation import Propagation
from remora.telemetry import propagators
from remora.telemetry.spans_cy import Frame, context_span

HIGH, LOW, OWN = 0x0AF7651916CD43DD, 0x8448EB211C80319C, 0x00AD6B7169203331
TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "00ad6b7169203331"


def written(name: str, flags: int = 1, baggage: dict[str, str] | None = None) -> dict[str, str]:
    carrier: dict[str, str] = {}
    frame = Frame(context_span(HIGH, LOW, OWN, flags, "", False), baggage)
    Propagation((name,), propagators.further((name,))).inject(frame, carrier)
    return carrier


def read(name: str, **headers: str) -> Frame | None:
    sent = {key.replace("_", "-"): value for key, value in headers.items()}

    class Request(HttpServerCall):
        def request_headers(self):
            return sent

    call = Request("GET", "http", "/", header=sent.get)
    return Propagation((name,), propagators.further((name,))).extract(call.header)


def parent(frame: Frame | None) -> tuple[str, str, int] | None:
    if frame is None:
        return None
    span = frame.span
    assert span.remote
    return f"{span.trace_hi:016x}{span.trace_lo:016x}", f"{span.span_id:016x}", span.flags


WRITTEN = [
    ("b3", 1, {"b3": f"{TRACE}-{SPAN}-1"}),
    ("b3", 0, {"b3": f"{TRACE}-{SPAN}-0"}),
    ("b3", 2, {"b3": f"{TRACE}-{SPAN}-0"}),
    ("b3multi", 1, {"x-b3-traceid": TRACE, "x-b3-spanid": SPAN, "x-b3-sampled": "1"}),
    ("b3multi", 0, {"x-b3-traceid": TRACE, "x-b3-spanid": SPAN, "x-b3-sampled": "0"}),
    ("jaeger", 3, {"uber-trace-id": f"{TRACE}:{SPAN}:0:1"}),
    ("jaeger", 0, {"uber-trace-id": f"{TRACE}:{SPAN}:0:0"}),
    ("xray", 1, {"X-Amzn-Trace-Id": f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN};Sampled=1"}),
    ("xray", 2, {"X-Amzn-Trace-Id": f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN};Sampled=0"}),
]


@pytest.mark.parametrize(("name", "flags", "headers"), WRITTEN)
def test_a_span_is_written_in_the_format_chosen(name: str, flags: int, headers: dict[str, str]) -> None:
    assert written(name, flags) == headers


@pytest.mark.parametrize("name", ["b3", "b3multi", "jaeger", "xray"])
@pytest.mark.parametrize("flags", [0, 1])
def test_what_is_written_is_read_again(name: str, flags: int) -> None:
    headers = {key.lower().replace("-", "_"): value for key, value in written(name, flags).items()}
    assert parent(read(name, **headers)) == (TRACE, SPAN, flags)


@pytest.mark.parametrize("name", ["b3", "b3multi", "jaeger", "xray"])
def test_without_a_span_nothing_is_written_and_without_headers_nothing_read(name: str) -> None:
    carrier: dict[str, str] = {}
    Propagation((name,), propagators.further((name,))).inject(Frame(None, {"a": "b"}), carrier)
    assert carrier == {}
    assert read(name) is None


SHORT = "00000000000000008448eb211c80319c"
X_RAY_ROOT = f"1-{TRACE[:8]}-{TRACE[8:]}"
READ = [
    ("b3", {"b3": f"{TRACE}-{SPAN}"}, (TRACE, SPAN, 1)),
    ("b3", {"b3": f"{TRACE}-{SPAN}-d"}, (TRACE, SPAN, 1)),
    ("b3", {"b3": f"{TRACE}-{SPAN}-true"}, (TRACE, SPAN, 1)),
    ("b3", {"b3": f"{TRACE}-{SPAN}-0-{SPAN}"}, (TRACE, SPAN, 0)),
    ("b3", {"b3": f"{TRACE.upper()}-{SPAN.upper()}-1"}, (TRACE, SPAN, 1)),
    ("b3", {"b3": f"{TRACE[16:]}-{SPAN}-1"}, (SHORT, SPAN, 1)),
    ("b3", {"b3": "0"}, None),
    ("b3", {"b3": f"{TRACE}-{SPAN}-1-{SPAN}-1"}, None),
    ("b3", {"b3": f"{TRACE[1:]}-{SPAN}-1"}, None),
    ("b3", {"b3": f"{'0' * 32}-{SPAN}-1"}, None),
    ("b3", {"b3": f"{TRACE}-{'0' * 16}-1"}, None),
    ("b3", {"b3": f"{'g' * 32}-{SPAN}-1"}, None),
    ("b3", {"x_b3_traceid": TRACE, "x_b3_spanid": SPAN, "x_b3_sampled": "1"}, (TRACE, SPAN, 1)),
    ("b3multi", {"b3": f"{TRACE}-{SPAN}-1"}, (TRACE, SPAN, 1)),
    ("b3multi", {"x_b3_traceid": TRACE, "x_b3_spanid": SPAN, "x_b3_flags": "1"}, (TRACE, SPAN, 1)),
    ("b3multi", {"x_b3_traceid": TRACE, "x_b3_spanid": SPAN, "x_b3_sampled": "true"}, (TRACE, SPAN, 1)),
    ("b3multi", {"x_b3_traceid": TRACE, "x_b3_spanid": SPAN}, (TRACE, SPAN, 0)),
    ("b3multi", {"x_b3_traceid": TRACE}, None),
    ("jaeger", {"uber_trace_id": f"{TRACE}:{SPAN}:0:1"}, (TRACE, SPAN, 1)),
    ("jaeger", {"uber_trace_id": f"{TRACE}:{SPAN}:{SPAN}:03"}, (TRACE, SPAN, 1)),
    ("jaeger", {"uber_trace_id": f"{TRACE[1:]}:{SPAN[2:]}:0:0"}, (TRACE, SPAN, 0)),
    ("jaeger", {"uber_trace_id": f"{TRACE}%3A{SPAN}%3a0%3A1"}, (TRACE, SPAN, 1)),
    ("jaeger", {"uber_trace_id": f"{TRACE}:{SPAN}:1"}, None),
    ("jaeger", {"uber_trace_id": f"0:{SPAN}:0:1"}, None),
    ("jaeger", {"uber_trace_id": f"{TRACE}:{SPAN}:0:x"}, None),
    ("jaeger", {"uber_trace_id": f"{TRACE}0:{SPAN}:0:1"}, None),
    ("xray", {"x_amzn_trace_id": f"Root={X_RAY_ROOT};Parent={SPAN};Sampled=1"}, (TRACE, SPAN, 1)),
    ("xray", {"x_amzn_trace_id": f"Sampled=0; Parent={SPAN} ;Root={X_RAY_ROOT}"}, (TRACE, SPAN, 0)),
    ("xray", {"x_amzn_trace_id": f"Self=1-a;Root={X_RAY_ROOT};Lineage=a:0;Parent={SPAN};Sampled=1"}, (TRACE, SPAN, 1)),
    ("xray", {"x_amzn_trace_id": f"Root={X_RAY_ROOT};Parent={SPAN}"}, (TRACE, SPAN, 0)),
    ("xray", {"x_amzn_trace_id": f"Root={X_RAY_ROOT};Sampled=1"}, None),
    ("xray", {"x_amzn_trace_id": f"Root=2-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN};Sampled=1"}, None),
    ("xray", {"x_amzn_trace_id": f"Root={X_RAY_ROOT};Parent={SPAN};Sampled=?"}, None),
    ("xray", {"x_amzn_trace_id": f"Root={X_RAY_ROOT};Parent={SPAN};"}, None),
    ("xray", {"x_amzn_trace_id": f"Root=1-{'0' * 8}-{'0' * 24};Parent={SPAN};Sampled=1"}, None),
]


@pytest.mark.parametrize(("name", "headers", "expected"), READ)
def test_a_parent_is_read_from_well_formed_headers_alone(name, headers, expected) -> None:
    assert parent(read(name, **headers)) == expected


def test_jaegers_baggage_goes_both_ways() -> None:
    assert written("jaeger", 1, {"user": "a b/c"})["uberctx-user"] == "a%20b/c"
    frame = read("jaeger", uber_trace_id=f"{TRACE}:{SPAN}:0:1", uberctx_user="a%20b", other="no")
    assert frame is not None
    assert frame.baggage == {"user": "a b"}


def test_jaegers_baggage_has_bounds() -> None:
    many = {f"key{index}": "v" * 100 for index in range(1000)}
    sent = written("jaeger", 1, many)
    assert 10 < len(sent) < 182
    assert sum(len(name) + len(value) for name, value in sent.items()) < 12_000
    assert "uberctx-big" not in written("jaeger", 1, {"big": "v" * 5000})


def test_the_first_format_that_has_a_parent_is_believed() -> None:
    names = ("tracecontext", "b3")
    propagation = Propagation(names, propagators.further(names))
    headers = {"b3": f"{TRACE}-{SPAN}-1"}
    assert parent(propagation.extract(headers.get)) == (TRACE, SPAN, 1)
    headers["traceparent"] = f"00-{TRACE}-{'1' * 16}-01"
    assert parent(propagation.extract(headers.get)) == (TRACE, "1" * 16, 1)
    assert propagation.awaited == ("traceparent", "b3", "x-b3-traceid")


def test_none_of_these_names_needs_a_package_and_an_unknown_one_is_told(capfd) -> None:
    assert len(propagators.further(("tracecontext", "b3", "b3multi", "baggage", "jaeger", "xray", "none"))) == 4
    assert capfd.readouterr().err == ""
    assert propagators.further(("semaphore",)) == ()
    assert "OTEL_PROPAGATORS names 'semaphore', which no installed package offers" in capfd.readouterr().err
