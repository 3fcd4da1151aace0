"""Whom the trace travels to, whom the proxies are believed to serve, and what a sampler gets to see."""

from __future__ import annotations

import fastapi
import flask
import httpx
import pytest
import requests
from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult

from plugins.http.client_contract import Server, server
from plugins.http.house_rules import ruled
from plugins.http.server_contract import HttpServerContract
from plugins.http.threaded import serving, serving_asgi
from remora import bootstrap
from remora.telemetry import sampling

__all__ = ["ruled", "server"]


def get_requests(url: str) -> None:
    requests.get(url, timeout=5)


def get_httpx(url: str) -> None:
    httpx.get(url)


@pytest.mark.parametrize("get", [get_requests, get_httpx])
@pytest.mark.parametrize(
    ("hosts", "travels"),
    [
        ("*", True),
        ("127.*", True),
        ("127.0.0.1:*", True),
        ("localhost,*.shop.example", False),
        ("127.0.0.1:1", False),
        ("*,!127.0.0.1", False),
        ("!elsewhere.example", True),
    ],
)
def test_trace_and_baggage_only_travel_to_the_hosts_named(spans, ruled, server: Server, get, hosts, travels) -> None:
    ruled(REMORA_PROPAGATE_TO=hosts)
    token = context.attach(baggage.set_baggage("user", "me"))
    try:
        get(server.url)
    finally:
        context.detach(token)
    assert ("traceparent" in server.headers(), "baggage" in server.headers()) == (travels, travels)
    assert len(spans.of_kind("CLIENT")) == 1  # it is traced all the same


def application() -> flask.Flask:
    app = flask.Flask("house")
    app.route("/items/<int:number>")(lambda number: str(number))
    return app


FORWARDED = {
    "Host": "inner.example:8080",
    "Forwarded": "for=203.0.113.7;host=shop.example;proto=https",
    "X-Forwarded-For": "203.0.113.8",
    "X-Forwarded-Host": "shop2.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Port": "9",
    "X-Real-IP": "203.0.113.9",
    "User-Agent": "tester",
}


def fastapi_application() -> fastapi.FastAPI:
    app = fastapi.FastAPI()

    @app.get("/items/{number}")
    async def item(number: int):
        return number

    return app


@pytest.mark.parametrize("framework", ["flask", "fastapi"])
@pytest.mark.parametrize("trusts", ["true", "false"])
def test_what_proxies_forward_can_be_ignored(spans, ruled, framework, trusts) -> None:
    ruled(REMORA_TRUST_FORWARDED=trusts)
    with serving(application()) if framework == "flask" else serving_asgi(fastapi_application()) as port:
        HttpServerContract.ask(port, "/items/1", headers=FORWARDED)
        found = HttpServerContract.only(spans).attributes
    seen = [found[name] for name in ("client.address", "server.address", "user_agent.original")]
    if trusts == "true":
        assert seen == ["203.0.113.7", "shop.example", "tester"]
        assert found["url.scheme"] == "https"
    else:
        assert seen == ["127.0.0.1", "inner.example", "tester"]
        assert (found["url.scheme"], found["server.port"]) == ("http", 8080)


class Noting(Sampler):
    """Keeps everything and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: dict[str, dict[str, object]] = {}

    def should_sample(
        self, parent_context, trace_id, name, kind=None, attributes=None, links=None, trace_state=None
    ) -> SamplingResult:
        self.asked[f"{trace.SpanKind(kind).name} {name}"] = dict(attributes or {})
        return SamplingResult(Decision.RECORD_AND_SAMPLE, {**(attributes or {}), "sampler.said": True})

    def get_description(self) -> str:
        return "Noting"


@pytest.fixture
def sampler(spans):
    engine = bootstrap.agent().assembly.engine
    before = engine.root_mode, engine.child_mode, engine.sampler
    noting = Noting()
    sampling.use(engine, noting)
    yield noting
    engine.root_mode, engine.child_mode, engine.sampler = before


def test_a_sampler_sees_every_start_attribute_of_a_request_that_flask_serves(spans, ruled, sampler) -> None:
    ruled(OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST="x-team")
    with serving(application()) as port:
        HttpServerContract.ask(port, "/items/1?a=1", headers={"User-Agent": "tester", "X-Team": "blue"})
        span = HttpServerContract.only(spans)
    expected = {
        "http.request.method": "GET",
        "url.path": "/items/1",
        "url.query": "a=1",
        "url.scheme": "http",
        "server.address": "127.0.0.1",
        "server.port": port,
        "client.address": "127.0.0.1",
        "user_agent.original": "tester",
        "http.request.header.x-team": ("blue",),
    }
    assert expected.items() <= sampler.asked["SERVER GET"].items()
    assert span.attributes["sampler.said"] is True
    assert span.attributes["http.route"] == "/items/<int:number>"


def test_a_sampler_sees_every_start_attribute_of_a_request_that_requests_sends(spans, ruled, sampler, server) -> None:
    ruled(REMORA_URL_TEMPLATES="/users/{id}")
    requests.get(server.url + "/users/7", timeout=5)
    assert sampler.asked["CLIENT GET /users/{id}"] == {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "url.full": server.url + "/users/7",
        "url.template": "/users/{id}",
    }
    (span,) = spans.of_kind("CLIENT")
    assert span.attributes["sampler.said"] is True


FORMATS = {
    "b3": {"b3": "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"},
    "b3multi": {
        "X-B3-TraceId": "0af7651916cd43dd8448eb211c80319c",
        "X-B3-SpanId": "b7ad6b7169203331",
        "X-B3-Sampled": "1",
    },
    "jaeger": {"uber-trace-id": "af7651916cd43dd8448eb211c80319c:b7ad6b7169203331:0:1", "uberctx-user": "a%20b"},
    "xray": {"X-Amzn-Trace-Id": "Self=1-1;Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1"},
}


@pytest.mark.parametrize("framework", ["flask", "fastapi"])
@pytest.mark.parametrize("form", FORMATS)
def test_a_trace_goes_through_a_service_in_the_format_chosen(spans, ruled, server: Server, form, framework) -> None:
    ruled(OTEL_PROPAGATORS=form)
    if framework == "flask":
        app = flask.Flask("house")
        app.route("/")(lambda: str(requests.get(server.url, timeout=5).status_code))
        serve = serving(app)
    else:
        app = fastapi.FastAPI()
        app.get("/")(lambda: requests.get(server.url, timeout=5).status_code)
        serve = serving_asgi(app)
    with serve as port:
        HttpServerContract.ask(port, "/", headers=FORMATS[form])
        span = HttpServerContract.only(spans)
    (sent,) = spans.of_kind("CLIENT")
    assert (span.trace_id, span.parent_id) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
    assert sent.trace_id == span.trace_id
    headers = server.headers()
    assert "traceparent" not in headers
    assert any(sent.span_id in value for value in headers.values())
    assert {name.lower() for name in FORMATS[form]} <= set(headers)
    if form == "jaeger":
        assert headers["uberctx-user"] == "a%20b"
