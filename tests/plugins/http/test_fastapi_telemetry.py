"""FastAPI's own telemetry, from 0.145"""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from opentelemetry import trace

from plugins.http.own_provider import OwnProvider

pytest.importorskip("fastapi.telemetry", reason="from FastAPI 0.145")


def application(telemetry=None):
    app = FastAPI(telemetry=telemetry)

    @app.get("/items/{number}")
    async def item(number: int):
        trace.get_current_span().set_attribute("mine", True)
        return number

    return app


def ask(app, path="/items/3"):
    assert TestClient(app).get(path).status_code == 200


def served(spans):
    """All but the span of the test client, which is httpx."""
    return [(span.kind, span.name) for span in spans if span.kind != "CLIENT"]


def test_spans_inside_a_request_are_made_for_those_who_ask_for_them(spans):
    ask(application({"operation_spans": True}))
    (server,) = spans.of_kind("SERVER")
    inside = spans.of_kind("INTERNAL")
    assert server.name == "GET /items/{number}"
    assert "fastapi.endpoint" in {span.name for span in inside}
    assert {span.parent_id for span in inside} <= {server.span_id, *(span.span_id for span in inside)}
    assert {span.trace_id for span in inside} == {server.trace_id}


def test_nobody_else_gets_them(spans):
    ask(application())
    ask(application({"operation_spans": False}))
    assert served(spans) == [("SERVER", "GET /items/{number}")] * 2


def test_the_current_span_of_an_endpoint_is_the_request(spans):
    ask(application())
    (server,) = spans.of_kind("SERVER")
    assert server.attributes["mine"] is True


def test_a_request_that_the_program_excludes_has_none_inside(spans):
    ask(application({"operation_spans": True, "exclude": lambda scope: True}))
    assert served(spans) == [("SERVER", "GET /items/{number}")]


def test_a_provider_of_the_applications_own_gets_all_it_got_before(spans):
    own = OwnProvider()
    ask(application({"tracer_provider": own.provider}))
    assert own.names()[-1] == ("SERVER", "GET /items/{number}")
    assert "fastapi.endpoint" in {name for _, name in own.names()}
    assert served(spans) == [("SERVER", "GET /items/{number}")]


def test_the_applications_settings_stay_what_they_were(spans):
    app = application()
    before = dict(app._telemetry)
    ask(app)
    assert app._telemetry == before


def test_a_program_without_fastapis_tracing_is_served_alike(spans):
    ask(application({"tracing": False, "operation_spans": True}))
    assert served(spans) == [("SERVER", "GET /items/{number}")]
