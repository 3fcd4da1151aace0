"""aiohttp's server"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager

from aiohttp import web
from opentelemetry import trace

from plugins.http.server_contract import HttpServerContract

tracer = trace.get_tracer("contract")


async def index(request):
    return web.Response(text="ok")


async def item(request):
    return web.Response(text=request.match_info["number"])


async def status(request):
    return web.Response(status=int(request.match_info["number"]))


async def boom(request):
    raise RuntimeError("password=hunter2")


async def child(request):
    with tracer.start_as_current_span("inside"):
        await asyncio.sleep(0)
    return web.Response(text="ok")


async def stream(request):
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(3):
        with tracer.start_as_current_span("chunk"):
            await asyncio.sleep(0.0101)
        await response.write(b"chunk")
    return response


async def refused(request):
    raise web.HTTPForbidden


def application():
    inner = web.Application()
    inner.router.add_get("/items/{number}", item)
    app = web.Application()
    app.add_subapp("/inner", inner)
    app.router.add_route("*", "/", index)
    app.router.add_get(r"/items/{number:\d+}", item)
    app.router.add_get("/status/{number}", status)
    for handler in (boom, child, stream, refused):
        app.router.add_get(f"/{handler.__name__}", handler)
    return app


@contextmanager
def serving(runner_of):
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    ports = []

    async def start():
        runner = runner_of()
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.append(runner.addresses[0][1])
        ready.set()
        return runner

    def run():
        runner = loop.run_until_complete(start())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(5)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


class TestAiohttpServer(HttpServerContract):
    def serving(self):
        return serving(lambda: web.AppRunner(application()))

    def test_an_unknown_method_is_kept_out_of_the_name(self, spans, port):
        self.ask(port, "/", "PROPFIND")  # one that the library's parser lets through
        span = self.only(spans)
        assert span.name.split()[0] == "HTTP"
        assert span.attributes["http.request.method"] == "_OTHER"
        assert span.attributes["http.request.method_original"] == "PROPFIND"

    def test_what_the_parser_refuses_is_the_clients_fault(self, spans, port):
        assert self.ask(port, "/", "BREW")[0] == 400
        span = self.only(spans)
        assert (span.name, span.status) == ("HTTP", "UNSET")
        assert span.attributes["http.response.status_code"] == 400
        assert span.events == []

    def test_the_route_of_a_sub_application_is_whole(self, spans, port):
        assert self.ask(port, "/inner/items/3") == (200, b"3")
        assert self.only(spans).name == "GET /inner/items/{number}"

    def test_an_http_exception_is_an_answer(self, spans, port):
        assert self.ask(port, "/refused")[0] == 403
        span = self.only(spans)
        assert (span.status, span.attributes["http.response.status_code"]) == ("UNSET", 403)
        assert span.events == []

    def test_a_method_that_the_route_does_not_take_is_answered_without_a_route(self, spans, port):
        assert self.ask(port, "/child", "DELETE")[0] == 405
        span = self.only(spans)
        assert span.name == "DELETE"
        assert span.attributes["http.response.status_code"] == 405


def test_a_server_without_an_application_is_traced_too(spans):
    with serving(lambda: web.ServerRunner(web.Server(index))) as port:
        assert HttpServerContract.ask(port, "/anything?a=1") == (200, b"ok")
        span = HttpServerContract.only(spans)
    assert span.name == "GET"
    assert (span.attributes["url.path"], span.attributes["url.query"]) == ("/anything", "a=1")


def test_a_client_that_leaves_during_a_stream_is_no_error(spans):
    async def endless(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 1000)
            await asyncio.sleep(0.001)

    def runner():
        app = web.Application()
        app.router.add_get("/endless", endless)
        return web.AppRunner(app)

    with serving(runner) as port, socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.recv(1000)
        connection.close()
        span = HttpServerContract.only(spans)
    assert (span.name, span.status, span.events) == ("GET /endless", "UNSET", [])
    assert "error.type" not in span.attributes
