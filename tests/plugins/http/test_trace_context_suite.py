"""W3C Trace Context, level 2: every case of its validation suite's list, in our words, at services under Remora.

A service is sent a request with the headers of the case and posts to the URLs it is given. Its callers and those it
calls must see one trace go on, or a new one begin.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import socketserver
import threading
import time

import pytest

from plugins.http.calling_services import SERVICES
from remora.testing import collect

TRACE = "12345678901234567890123456789012"
SPAN = "1234567890123456"
VALID = f"00-{TRACE}-{SPAN}-01"
UNSAMPLED = f"00-{TRACE}-{SPAN}-00"
TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


class _Called(socketserver.StreamRequestHandler):
    """By bare sockets: the standard library's HTTP server would be traced itself."""

    def handle(self):
        self.rfile.readline()
        headers = http.client.parse_headers(self.rfile)
        self.rfile.read(int(headers.get("Content-Length") or 0))
        self.server.seen.append([(name.lower(), value) for name, value in headers.items()])
        self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Called)
        self.seen = []


class Outgoing:
    """What one called URL was sent."""

    def __init__(self, headers):
        (header,) = [value for name, value in headers if name == "traceparent"]
        found = TRACEPARENT.fullmatch(header)
        assert found, f"traceparent {header!r} is not valid"
        self.trace, self.parent = found[1], found[2]
        self.flags = int(found[3], 16)
        self.state = ",".join(value for name, value in headers if name == "tracestate")


class Harness:
    """Asks a service to call us back, and keeps what it sends."""

    def __init__(self, port):
        self.port = port
        self._server = _Server()
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def ask(self, *headers, times=1):
        """The requests the service makes when it gets one with ``headers``, byte for byte as they are given."""
        self._server.seen.clear()
        body = json.dumps([f"http://127.0.0.1:{self._server.server_address[1]}/{number}" for number in range(times)])
        own = [("Host", f"127.0.0.1:{self.port}"), ("Content-Type", "application/json"), ("Content-Length", len(body))]
        lines = ["POST / HTTP/1.1", *(f"{name}: {value}" for name, value in (*own, *headers)), "", body]
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall("\r\n".join(lines).encode("latin-1"))
            answer = http.client.HTTPResponse(connection, method="POST")
            answer.begin()
            assert answer.status == 200, answer.read()
            answer.close()
        assert len(self._server.seen) == times
        return [Outgoing(headers) for headers in self._server.seen]

    def ask_once(self, *headers):
        (outgoing,) = self.ask(*headers)
        return outgoing


@pytest.fixture(scope="module", params=SERVICES)
def harness(request):
    with collect():
        pass  # the libraries are patched before the service begins to serve
    with SERVICES[request.param]() as port:
        made = Harness(port)
        yield made
        made.close()


def server_span(spans):
    patience = time.monotonic() + 2
    while not spans.of_kind("SERVER") and time.monotonic() < patience:
        time.sleep(0.002)
    (span,) = spans.of_kind("SERVER")
    return span


def goes_on(spans, outgoing):
    """Both sides agree: the caller's trace, the service's own span as the parent of those it calls."""
    server = server_span(spans)
    (client,) = spans.of_kind("CLIENT")
    assert (server.trace_id, server.parent_id, server.parent_is_remote) == (TRACE, SPAN, True)
    assert (outgoing.trace, outgoing.parent) == (client.trace_id, client.span_id) == (TRACE, client.span_id)
    assert client.parent_id == server.span_id
    assert outgoing.parent != SPAN


def begins_anew(spans, outgoing, *refused):
    server = server_span(spans)
    assert server.parent_id is None
    assert outgoing.trace == server.trace_id
    for header in refused:
        assert outgoing.trace not in header
        assert outgoing.parent not in header
    assert outgoing.flags & 0x02, "a trace that begins here has a random id and says so"


def test_without_headers_a_trace_begins(harness, spans):
    begins_anew(spans, harness.ask_once())


def test_a_parent_without_state_is_continued(harness, spans):
    outgoing = harness.ask_once(("traceparent", VALID))
    goes_on(spans, outgoing)
    assert outgoing.state == ""


def test_two_parents_are_none(harness, spans):
    first, second = f"00-{TRACE[:-1]}1-{SPAN}-01", VALID
    begins_anew(spans, harness.ask_once(("traceparent", first), ("traceparent", second)), first, second)


@pytest.mark.parametrize("name", ["trace-parent", "trace.parent"])
def test_a_parent_under_another_name_is_none(harness, spans, name):
    begins_anew(spans, harness.ask_once((name, VALID)), VALID)


@pytest.mark.parametrize("name", ["TraceParent", "TrAcEpArEnT", "TRACEPARENT"])
def test_the_case_of_the_parents_name_does_not_matter(harness, spans, name):
    goes_on(spans, harness.ask_once((name, VALID)))


MALFORMED = {
    "version 00 with a trailing character": f"{VALID}.",
    "version 00 with fields of the future": f"{VALID}-what-the-future-will-be-like",
    "a future version with another separator": f"cc-{TRACE}-{SPAN}-01.what-the-future-will-be-like",
    "version ff": f"ff-{TRACE}-{SPAN}-01",
    "version with an illegal first character": f".0-{TRACE}-{SPAN}-01",
    "version with an illegal second character": f"0.-{TRACE}-{SPAN}-01",
    "version of three digits": f"000-{TRACE}-{SPAN}-01",
    "version of four digits": f"0000-{TRACE}-{SPAN}-01",
    "version of one digit": f"0-{TRACE}-{SPAN}-01",
    "trace id of zeros": f"00-{'0' * 32}-{SPAN}-01",
    "trace id with an illegal first character": f"00-.{TRACE[1:]}-{SPAN}-01",
    "trace id with an illegal last character": f"00-{TRACE[:-1]}.-{SPAN}-01",
    "trace id in upper case": f"00-{'ABCDEF' * 5}12-{SPAN}-01",
    "trace id too long": f"00-{TRACE}3-{SPAN}-01",
    "trace id too short": f"00-{TRACE[:-1]}-{SPAN}-01",
    "parent id of zeros": f"00-{TRACE}-{'0' * 16}-01",
    "parent id with an illegal first character": f"00-{TRACE}-.{SPAN[1:]}-01",
    "parent id with an illegal last character": f"00-{TRACE}-{SPAN[:-1]}.-01",
    "parent id too long": f"00-{TRACE}-{SPAN}7-01",
    "parent id too short": f"00-{TRACE}-{SPAN[:-1]}-01",
    "flags with an illegal first character": f"00-{TRACE}-{SPAN}-.0",
    "flags with an illegal second character": f"00-{TRACE}-{SPAN}-0.",
    "flags of three digits": f"00-{TRACE}-{SPAN}-001",
    "flags of one digit": f"00-{TRACE}-{SPAN}-1",
    "an empty header": "",
    "a very long header": f"cc-{TRACE}-{SPAN}-01" + "x" * 4000,
}


@pytest.mark.parametrize("header", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_parent_is_none(harness, spans, header):
    outgoing = harness.ask_once(("traceparent", header), ("tracestate", "foo=1"))
    begins_anew(spans, outgoing, header)
    assert outgoing.state == "", "a state without its parent means nothing"


@pytest.mark.parametrize("more", ["", "-what-the-future-will-be-like"])
def test_a_future_version_is_read_by_what_is_known_of_it(harness, spans, more):
    goes_on(spans, harness.ask_once(("traceparent", f"cc-{TRACE}-{SPAN}-01{more}")))


SURROUNDED = [" {}", "\t{}", "{} ", "{}\t", "\t {} \t"]


@pytest.mark.parametrize("around", SURROUNDED)
def test_white_space_around_the_parent_is_ignored(harness, spans, around):
    goes_on(spans, harness.ask_once(("traceparent", around.format(VALID))))


@pytest.mark.parametrize("state", ["foo=1", "foo=1,bar=2"])
def test_a_state_without_a_parent_is_dropped(harness, spans, state):
    outgoing = harness.ask_once(("tracestate", state))
    begins_anew(spans, outgoing)
    assert outgoing.state == ""


@pytest.mark.parametrize("name", ["tracestate", "TraceState", "TrAcEsTaTe", "TRACESTATE"])
def test_a_state_goes_on_with_its_parent(harness, spans, name):
    outgoing = harness.ask_once(("traceparent", VALID), (name, "foo=1,bar=2"))
    goes_on(spans, outgoing)
    assert outgoing.state == server_span(spans).tracestate == "foo=1,bar=2"


@pytest.mark.parametrize("name", ["trace-state", "trace.state"])
def test_a_state_under_another_name_is_none(harness, spans, name):
    outgoing = harness.ask_once(("traceparent", VALID), (name, "foo=1"))
    goes_on(spans, outgoing)
    assert outgoing.state == ""


KEY = "abcdefghijklmnopqrstuvwxyz0123456789_-*/"
VALUE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in ",=")
MANY = [",".join(f"bar{number:02}={number:02}" for number in range(first, first + 10)) for first in (1, 11, 21)]

STATES = {
    "an empty one": ([""], ""),
    "an empty one after another": (["foo=1", ""], "foo=1"),
    "an empty one before another": (["", "foo=1"], "foo=1"),
    "several with different keys": (["foo=1,bar=2", "rojo=1,congo=2", "baz=3"], "foo=1,bar=2,rojo=1,congo=2,baz=3"),
    "the same member twice": (["foo=1,foo=1"], "foo=1"),
    "the same key twice": (["foo=1,foo=2"], "foo=1"),
    "the same member in two": (["foo=1", "foo=1"], "foo=1"),
    "the same key in two": (["foo=1", "foo=2"], "foo=1"),
    "all characters a key may have": ([f"{KEY}={VALUE}"], f"{KEY}={VALUE}"),
    "all characters a key with a vendor may have": ([f"{KEY}@a-z0-9_-*/={VALUE}"], f"{KEY}@a-z0-9_-*/={VALUE}"),
    "spaces and tabs around members": (["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3"),
    "tabs and spaces around members": (["foo=1\t \t,\t \tbar=2,\t \tbaz=3"], "foo=1,bar=2,baz=3"),
    **{f"white space around it: {around!r}": ([around.format("foo=1")], "foo=1") for around in SURROUNDED},
    "a space in a key": (["foo =1"], ""),
    "a key in upper case": (["FOO=1"], ""),
    "a dot in a key": (["foo.bar=1"], ""),
    "a key without a vendor after @": (["foo@=1,bar=2"], ""),
    "a key without a tenant before @": (["@foo=1,bar=2"], ""),
    "a key with two @ in a row": (["foo@@bar=1,bar=2"], ""),
    "a key with two vendors": (["foo@bar@baz=1,bar=2"], ""),
    "32 members": ([*MANY, "bar31=31,bar32=32"], ",".join([*MANY, "bar31=31,bar32=32"])),
    "33 members": ([*MANY, "bar31=31,bar32=32,bar33=33"], ""),
    "a key of 256 characters": (["foo=1", "z" * 256 + "=1"], "foo=1," + "z" * 256 + "=1"),
    "a key of 257 characters": (["foo=1", "z" * 257 + "=1"], ""),
    "a tenant of 241 and a vendor of 14 characters": (
        ["foo=1", "t" * 241 + "@" + "v" * 14 + "=1"],
        "foo=1," + "t" * 241 + "@" + "v" * 14 + "=1",
    ),
    "a tenant of 242 characters": (["foo=1", "t" * 242 + "@v=1"], ""),
    "a vendor of 15 characters": (["foo=1", "t@" + "v" * 15 + "=1"], ""),
    "a value with an equals sign": (["foo=bar=baz"], ""),
    "an empty value": (["foo=,bar=3"], ""),
    "a member without a value": (["foo,bar=3"], ""),
}


@pytest.mark.parametrize(("headers", "kept"), STATES.values(), ids=STATES)
def test_a_state_is_kept_in_order_or_dropped_as_a_whole_and_its_parent_stays(harness, spans, headers, kept):
    outgoing = harness.ask_once(("traceparent", VALID), *(("tracestate", header) for header in headers))
    goes_on(spans, outgoing)
    assert outgoing.state == kept


@pytest.mark.parametrize("sent", [0x00, 0x01, 0x02, 0x03])
def test_sampled_and_random_are_passed_on_as_they_came(harness, spans, sent):
    outgoing = harness.ask_once(("traceparent", f"00-{TRACE}-{SPAN}-{sent:02x}"), ("tracestate", "foo=1"))
    assert (outgoing.trace, outgoing.flags, outgoing.state) == (TRACE, sent, "foo=1")
    assert outgoing.parent != SPAN


@pytest.mark.parametrize("sent", [0x04, 0x81, 0xFF])
@pytest.mark.parametrize("version", ["00", "cc"])
def test_flags_that_nobody_knows_are_not_passed_on(harness, version, sent):
    outgoing = harness.ask_once(("traceparent", f"{version}-{TRACE}-{SPAN}-{sent:02x}"))
    assert (outgoing.trace, outgoing.flags) == (TRACE, sent & 0x03)


def test_a_caller_that_does_not_sample_is_followed(harness, spans):
    began_ns = time.time_ns()
    outgoing = harness.ask_once(("traceparent", UNSAMPLED))
    assert (outgoing.trace, outgoing.flags) == (TRACE, 0)
    time.sleep(0.02)
    assert [span for span in spans if span.start_ns >= began_ns] == []


def test_each_of_several_calls_has_a_parent_of_its_own_in_the_callers_trace(harness, spans):
    calls = harness.ask(("traceparent", VALID), times=3)
    assert {outgoing.trace for outgoing in calls} == {TRACE}
    assert len({outgoing.parent for outgoing in calls} - {SPAN}) == 3
    assert {client.parent_id for client in spans.of_kind("CLIENT")} == {server_span(spans).span_id}


@pytest.mark.parametrize("headers", [[], [("traceparent", f"00-{'0' * 32}-{SPAN}-01")]], ids=["none", "malformed"])
def test_several_calls_without_a_callers_trace_are_in_one_of_their_own(harness, spans, headers):
    calls = harness.ask(*headers, times=3)
    assert {outgoing.trace for outgoing in calls} == {server_span(spans).trace_id}
    assert len({outgoing.parent for outgoing in calls}) == 3


def test_ids_of_new_traces_are_random_in_their_last_seven_bytes(harness):
    traces = [harness.ask_once().trace for _ in range(40)]
    for position in range(18, 32):
        assert len({trace[position] for trace in traces}) > 4, "a digit hardly changes from trace to trace"
