"""Captured headers and the other opt-in attributes, with every library that is asked for them."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import subprocess
import sys
import urllib.request

import aiohttp
import falcon
import fastapi
import flask
import httpx
import pytest
import requests
import urllib3
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from plugins.http.client_contract import Server, server
from plugins.http.house_rules import ruled
from plugins.http.server_contract import HttpServerContract
from plugins.http.threaded import serving, serving_asgi
from remora.api import url_template

__all__ = ["ruled", "server"]

ANSWERED = {"X-Answer": "yes", "Set-Cookie": "id=hunter2"}


def flask_application():
    app = flask.Flask("house")

    @app.route("/headers", methods=["GET", "POST"])
    def headers():
        return "ok", 200, ANSWERED

    return app


def falcon_application():
    class Headers:
        def on_get(self, _, response):
            response.text = "ok"
            response.set_headers({"X-Answer": "yes"})
            response.append_header("Set-Cookie", "id=hunter2")

        on_post = on_get

    app = falcon.App()
    app.add_route("/headers", Headers())
    return app


def fastapi_application():
    app = fastapi.FastAPI()

    @app.api_route("/headers", methods=["GET", "POST"])
    async def headers(response: fastapi.Response):
        response.headers.update(ANSWERED)
        return "ok"

    return app


def starlette_application():
    async def headers(_):
        return Response("ok", headers=ANSWERED)

    return Starlette(routes=[Route("/headers", headers, methods=["GET", "POST"])])


SERVERS = {
    "flask": lambda: serving(flask_application()),
    "falcon": lambda: serving(falcon_application()),
    "fastapi": lambda: serving_asgi(fastapi_application()),
    "starlette": lambda: serving_asgi(starlette_application()),
}


def served(spans, name, headers=None, method="GET"):
    with SERVERS[name]() as port:
        spans.clear()
        assert HttpServerContract.ask(port, "/headers", method=method, headers=headers)[0] == 200
        return HttpServerContract.only(spans).attributes


def of_headers(attributes):
    return {name: value for name, value in attributes.items() if ".header." in name}


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_captures_the_headers_it_is_asked_for(spans, ruled, name) -> None:
    ruled(
        OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST="X-Team, x-trace.*,Content-Type",
        OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE="x-ANSWER",
    )
    sent = {"x-team": "blue", "X-Traced": "1", "X-Other": "no", "Content-Type": "text/plain"}
    assert of_headers(served(spans, name, sent)) == {
        "http.request.header.x-team": ("blue",),
        "http.request.header.x-traced": ("1",),
        "http.request.header.content-type": ("text/plain",),
        "http.response.header.x-answer": ("yes",),
    }


@pytest.mark.parametrize("name", SERVERS)
def test_secrets_in_headers_stay_out_though_all_are_captured(spans, ruled, name) -> None:
    ruled(
        OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST=".*",
        OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE=".*",
        OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS="pin",
    )
    sent = {
        "Authorization": "Bearer hunter2",
        "Proxy-Authorization": "Basic hunter2",
        "Cookie": "session=hunter2",
        "X-Api-Key": "hunter2",
        "X-Auth-Token": "hunter2",
        "X-Amz-Security-Token": "hunter2",
        "X-My-Pin-Code": "hunter2",
        "Referer": "https://me:hunter2@shop.example/?sig=hunter2&a=1",
        "X-Note": "password=hunter2",
        "X-Shown": "plain",
    }
    found = of_headers(served(spans, name, sent))
    assert "hunter2" not in repr(found)
    assert found["http.request.header.authorization"] == ("REDACTED",)
    assert found["http.request.header.x-my-pin-code"] == ("REDACTED",)
    assert found["http.response.header.set-cookie"] == ("REDACTED",)
    assert found["http.request.header.x-shown"] == ("plain",)


@pytest.mark.parametrize("name", SERVERS)
def test_without_a_word_no_header_is_captured_and_no_opt_in_attribute_set(spans, name) -> None:
    found = served(spans, name, {"X-Team": "blue", "Content-Length": "0"})
    assert of_headers(found) == {}
    assert not {"http.request.body.size", "http.response.body.size", "client.port", "network.transport"} & set(found)


@pytest.mark.parametrize("name", SERVERS)
def test_a_servers_opt_in_attributes(spans, ruled, name) -> None:
    ruled(REMORA_OPTIONAL_ATTRIBUTES="http.*.body.size,client.port,network.transport,user_agent.*")
    found = served(spans, name, {"Content-Length": "0", "User-Agent": "Googlebot/2.1 (+http://google.com)"}, "POST")
    assert found["http.request.body.size"] == 0
    assert found["http.response.body.size"] in (2, 4)
    assert found["network.transport"] == "tcp"
    assert found["client.port"] == found["network.peer.port"]
    assert found["user_agent.synthetic.type"] == "bot"


def test_a_name_that_is_no_opt_in_attribute_is_told(ruled, capfd) -> None:
    ruled(REMORA_OPTIONAL_ATTRIBUTES="http.request.sice")
    assert "REMORA_OPTIONAL_ATTRIBUTES names 'http.request.sice'" in capfd.readouterr().err


def by_requests(url, headers):
    requests.post(url, data=b"four", headers=headers, timeout=5)


def by_urllib3(url, headers):
    with urllib3.PoolManager() as pool:
        pool.request("POST", url, body=b"four", headers={**headers, "Content-Length": "4"})


def by_httpx(url, headers):
    httpx.post(url, content=b"four", headers=headers)


def by_httpx_async(url, headers):
    async def post():
        async with httpx.AsyncClient() as client:
            await client.post(url, content=b"four", headers=headers)

    asyncio.run(post())


def by_aiohttp(url, headers):
    async def post():
        async with aiohttp.ClientSession() as session, session.post(url, data=b"four", headers=headers):
            pass

    asyncio.run(post())


def by_urllib(url, headers):
    urllib.request.urlopen(urllib.request.Request(url, b"four", headers), timeout=5).close()


def by_http_client(url, headers):
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    connection.request("POST", "/", b"four", headers)
    connection.getresponse().read()
    connection.close()


CLIENTS = [by_requests, by_urllib3, by_httpx, by_httpx_async, by_aiohttp, by_urllib, by_http_client]


@pytest.mark.parametrize("send", CLIENTS)
def test_a_client_captures_the_headers_it_is_asked_for(spans, ruled, server: Server, send) -> None:
    ruled(
        OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST="x-team,authorization",
        OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_RESPONSE="content-.*",
    )
    send(server.url, {"X-Team": "blue", "Authorization": "Bearer hunter2"})
    (span,) = spans.of_kind("CLIENT")
    assert of_headers(span.attributes) == {
        "http.request.header.x-team": ("blue",),
        "http.request.header.authorization": ("REDACTED",),
        "http.response.header.content-length": ("2",),
    }
    assert server.headers()["authorization"] == "Bearer hunter2"


@pytest.mark.parametrize("send", CLIENTS)
def test_a_clients_opt_in_attributes(spans, ruled, server: Server, send) -> None:
    ruled(REMORA_OPTIONAL_ATTRIBUTES="http.request.body.size,http.response.body.size,url.scheme,user_agent.original")
    send(server.url, {"User-Agent": "shop/1"})
    (span,) = spans.of_kind("CLIENT")
    assert span.attributes["http.response.body.size"] == 2
    assert span.attributes["url.scheme"] == "http"
    assert span.attributes["user_agent.original"] == "shop/1"
    if send is not by_urllib:  # which adds Content-Length below, where only http.client sees it
        assert span.attributes["http.request.body.size"] == 4


@pytest.mark.parametrize("send", CLIENTS)
def test_without_a_word_a_client_adds_nothing(spans, server: Server, send) -> None:
    send(server.url, {"X-Team": "blue"})
    (span,) = spans.of_kind("CLIENT")
    assert of_headers(span.attributes) == {}
    assert not {"http.request.body.size", "url.scheme", "user_agent.original", "url.template"} & set(span.attributes)


@pytest.mark.parametrize("send", CLIENTS)
def test_the_program_names_its_requests_by_a_template(spans, ruled, server: Server, send) -> None:
    ruled()
    with url_template("/users/{id}"), url_template("/carts/{id}"):
        send(server.url, {})
    send(server.url, {})
    first, second = spans.of_kind("CLIENT")
    assert (first.name, first.attributes["url.template"]) == ("POST /carts/{id}", "/carts/{id}")
    assert second.name == "POST"


def test_a_template_goes_along_into_tasks(spans, ruled, server: Server) -> None:
    ruled()

    async def both():
        async with httpx.AsyncClient() as client:
            with url_template("/a/{id}"):
                first = asyncio.create_task(client.get(server.url + "/a/1"))
            await asyncio.gather(first, client.get(server.url + "/b"))

    asyncio.run(both())
    assert sorted(span.name for span in spans.of_kind("CLIENT")) == ["GET", "GET /a/{id}"]


def test_templates_can_be_listed_for_hosts(spans, ruled, server: Server) -> None:
    ruled(REMORA_URL_TEMPLATES="other.example/{all},/users/{id}/orders/:order,127.*/v1.0/{thing}")
    for path in ("/users/7/orders/9?a=1", "/v1.0/x", "/v1x0/x", "/users/7"):
        requests.get(server.url + path, timeout=5)
    names = [span.name for span in spans.of_kind("CLIENT")]
    assert names == ["GET /users/{id}/orders/:order", "GET /v1.0/{thing}", "GET", "GET"]


PROGRAM = """
import json, sys
from remora.testing import collect
with collect() as spans:
    import flask
    app = flask.Flask("x")
    app.route("/health", endpoint="health")(lambda: "ok")
    app.route("/open", endpoint="open")(lambda: "ok")
    client = app.test_client()
    client.get("/health")
    client.get("/open", headers={"X-Team": "blue", "X-Forwarded-For": "203.0.113.7"})
print(json.dumps([span.attributes for span in spans]))
"""


def test_the_environment_of_a_process_sets_it_all() -> None:
    environ = {
        "REMORA_EXCLUDED_URLS": "/health",
        "REMORA_TRUST_FORWARDED": "false",
        "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST": "x-team",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={**os.environ, **environ}, capture_output=True, text=True, check=True
    )
    (attributes,) = json.loads(done.stdout)
    assert attributes["url.path"] == "/open"
    assert attributes["http.request.header.x-team"] == ["blue"]
    assert attributes["client.address"] == "127.0.0.1"
