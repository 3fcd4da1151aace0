"""Tornado's server"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager

import flask
import pytest
from opentelemetry import trace
from tornado import httpserver, routing, web, websocket, wsgi
from websockets.sync.client import connect

from plugins.http.server_contract import HttpServerContract
from support.processes import wait_until

tracer = trace.get_tracer("contract")


class Quiet(web.RequestHandler):
    def log_exception(self, *_):
        """Like a program that overrides it and calls no ``super``."""


class Index(Quiet):
    def get(self):
        self.write("ok")


class Item(Quiet):
    def get(self, number):
        self.write(number)


class Status(Quiet):
    def get(self, number):
        self.set_status(int(number))


class Boom(Quiet):
    def get(self):
        raise RuntimeError("password=hunter2")


class Child(Quiet):
    async def get(self):
        with tracer.start_as_current_span("inside"):
            await asyncio.sleep(0)
        self.write("ok")


class Stream(Quiet):
    async def get(self):
        for _ in range(3):
            with tracer.start_as_current_span("chunk"):
                await asyncio.sleep(0.011)
            self.write(b"chunk")
            await self.flush()


class Endless(web.RequestHandler):
    async def get(self):
        while True:
            self.write(b"x" * 1000)
            await self.flush()
            await asyncio.sleep(0.001)


class Refused(web.RequestHandler):
    def get(self):
        raise web.HTTPError(403)


class Finished(web.RequestHandler):
    def prepare(self):
        self.set_status(202)
        raise web.Finish("done")


@web.stream_request_body
class Upload(web.RequestHandler):
    def data_received(self, chunk):
        pass

    def put(self):
        self.write("ok")


class Echo(websocket.WebSocketHandler):
    async def on_message(self, message):
        with tracer.start_as_current_span("inside"):
            await self.write_message(message)
        if message == "boom":
            raise RuntimeError("password=hunter2")


def under_flask():
    app = flask.Flask("inner")

    @app.route("/wsgi/<int:number>")
    def answer(number):
        with tracer.start_as_current_span("inside"):
            return str(number)

    return app


def application():
    return web.Application(
        [
            (r"/", Index),
            (r"/items/([0-9]+)", Item),
            (r"/things/(?P<number>\d+)/?", Item),
            (r"/status/(\d+)", Status),
            (r"/boom", Boom),
            (r"/child", Child),
            (r"/stream", Stream),
            (r"/endless", Endless),
            (r"/refused", Refused),
            (r"/finished", Finished),
            (r"/upload", Upload),
            (r"/echo/\d+", Echo),
            (r"/nested/.*", [(r"/nested/(\w+)/deep", Item)]),
            (r"/wsgi/.*", web.FallbackHandler, {"fallback": wsgi.WSGIContainer(under_flask())}),
        ]
    )


@contextmanager
def serving(made=application, **options):
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    ports = []

    async def start():
        server = httpserver.HTTPServer(made(), **options)
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        server.add_sockets([listener])
        ports.append(listener.getsockname()[1])
        ready.set()
        return server

    async def stop(server):
        server.stop()
        await server.close_all_connections()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def run():
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(start())
        loop.run_forever()
        loop.run_until_complete(stop(server))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(5)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


class TestTornadoServer(HttpServerContract):
    def serving(self):
        return serving()

    @pytest.mark.parametrize(
        ("path", "route"),
        [
            ("/items/7", "/items/<var>"),  # one of three rules of its handler's class
            ("/things/7", "/things/<number>/?"),
            ("/nested/a/deep", "/nested/<var>/deep"),
            ("/status/200", "/status/<var>"),
        ],
    )
    def test_a_route_is_its_rules_expression_made_readable(self, spans, port, path, route):
        assert self.ask(port, path)[0] == 200
        assert self.only(spans).name == f"GET {route}"

    def test_an_http_error_and_finish_are_answers(self, spans, port):
        assert self.ask(port, "/refused")[0] == 403
        span = self.only(spans)
        assert (span.status, span.events, span.attributes["http.route"]) == ("UNSET", [], "/refused")
        spans.clear()
        assert self.ask(port, "/finished") == (202, b"done")
        span = self.only(spans)
        assert (span.status, span.events, span.attributes["http.response.status_code"]) == ("UNSET", [], 202)

    def test_a_method_that_the_handler_does_not_have_is_a_405_of_its_route(self, spans, port):
        assert self.ask(port, "/child", "DELETE")[0] == 405
        span = self.only(spans)
        assert (span.name, span.status) == ("DELETE /child", "UNSET")
        assert span.attributes["http.response.status_code"] == 405

    def test_a_client_that_goes_away_is_no_error(self, spans, port):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.recv(100)
        span = self.only(spans, 5)
        assert (span.status, span.events) == ("UNSET", [])
        assert "error.type" not in span.attributes

    def test_a_client_that_goes_away_before_its_body_is_in_was_not_answered(self, spans, port):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf")
        span = self.only(spans, 5)
        assert (span.status, span.events) == ("UNSET", [])
        assert "http.response.status_code" not in span.attributes

    def test_pipelined_requests_do_not_inherit_from_one_another(self, spans, port):
        once = b"GET /child HTTP/1.1\r\nHost: a\r\n%s\r\n"
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(once % b"" * 4 + once % b"Connection: close\r\n")
            while connection.recv(65536):
                pass
        wait_until("all ended", lambda: len(spans.of_kind("SERVER")) == 5)
        assert all(span.parent_id is None for span in spans.of_kind("SERVER"))

    def test_a_websocket_is_one_span_for_the_connection(self, spans, port):
        with connect(f"ws://127.0.0.1:{port}/echo/7") as peer:
            peer.send("hello")
            assert peer.recv() == "hello"
        span = self.only(spans, 5)
        assert span.attributes["http.response.status_code"] == 101
        assert (span.status, span.events) == ("UNSET", [])
        assert span.name == r"GET /echo/\d+"
        assert [child.name for child in spans.children_of(span)] == ["inside"]

    def test_how_long_a_websocket_lasts_is_no_requests_duration(self, spans, port):
        with connect(f"ws://127.0.0.1:{port}/echo/7") as peer:
            peer.send("hello")
            peer.recv()
        self.only(spans, 5)
        assert spans.metrics.named("http.server.request.duration") == []
        assert spans.metrics.named("http.server.active_requests") == []

    def test_an_exception_of_a_websockets_callback_is_reported(self, spans, port):
        with connect(f"ws://127.0.0.1:{port}/echo/7") as peer:
            peer.send("boom")
            assert peer.recv() == "boom"
            wait_until("ended", lambda: spans.of_kind("SERVER"))
        span = self.only(spans, 5)
        assert (span.status, span.attributes["error.type"]) == ("ERROR", "RuntimeError")
        assert len(span.events) == 1

    def test_a_wsgi_application_inside_is_the_one_span(self, spans, port):
        assert self.ask(port, "/wsgi/7") == (200, b"7")
        span = self.only(spans)
        assert (span.name, span.attributes["http.response.status_code"]) == ("GET /wsgi/<int:number>", 200)
        assert [child.name for child in spans.children_of(span)] == ["inside"]


def test_a_wsgi_application_alone_is_one_span(spans):
    with serving(lambda: wsgi.WSGIContainer(under_flask())) as port:
        assert HttpServerContract.ask(port, "/wsgi/7?a=1") == (200, b"7")
        span = HttpServerContract.only(spans)
    assert (span.name, span.attributes["url.query"]) == ("GET /wsgi/<int:number>", "a=1")


def test_an_application_behind_a_router_of_its_own_and_a_host_keep_their_routes(spans):
    def made():
        hosted = web.Application([(r"/", Index)])
        hosted.add_handlers(r"shop\.example", [(r"/shop/(\d+)", Item), (r"/buy/(\d+)", Item)])
        return routing.RuleRouter([routing.Rule(routing.PathMatches("/.*"), hosted)])

    with serving(made) as port:
        assert HttpServerContract.ask(port, "/buy/7", headers={"Host": "shop.example"}) == (200, b"7")
        assert HttpServerContract.only(spans).name == "GET /buy/<var>"


def test_what_tornado_takes_from_a_proxy_leaves_the_peer_as_it_is(spans):
    with serving(xheaders=True) as port:
        HttpServerContract.ask(port, "/", headers={"X-Real-Ip": "203.0.113.9", "X-Scheme": "https"})
        span = HttpServerContract.only(spans)
    assert span.attributes["client.address"] == "203.0.113.9"
    assert span.attributes["network.peer.address"] == "127.0.0.1"
    assert span.attributes["url.scheme"] == "https"
