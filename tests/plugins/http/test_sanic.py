"""Sanic, on its own server and as an ASGI application"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from contextlib import contextmanager
from itertools import count

import pytest
from opentelemetry import trace
from websockets.sync.client import connect

from plugins.http.server_contract import HttpServerContract
from plugins.http.threaded import serving_asgi
from support.processes import output, running, wait_until
from support.receiver import Receiver
from support.servers import missing
from support.versions import installed_version

if installed_version("sanic") is None:
    missing("sanic is not installed here; it excludes the latest multidict")

from sanic import Blueprint, Sanic, response
from sanic.exceptions import Forbidden
from sanic.views import HTTPMethodView

# What works in all versions of Sanic.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

Sanic.test_mode = True  # several applications in one process
tracer = trace.get_tracer("contract")
_numbers = count()


class Cups(HTTPMethodView):
    async def get(self, request, name):
        return response.text(name)


def application():
    app = Sanic(f"contract{next(_numbers)}", configure_logging=False)
    shop = Blueprint(f"shop{next(_numbers)}", url_prefix="/shop")

    @app.get("/")
    async def index(request):
        return response.text("ok")

    @app.get("/items/<number:int>")
    async def item(request, number):
        return response.text(str(number))

    @app.get("/status/<number:int>")
    async def status(request, number):
        return response.text("", status=number)

    @app.get("/boom")
    def boom(request):
        raise RuntimeError("password=hunter2")

    @app.get("/handled")
    async def handled(request):
        raise LookupError("no such cup")

    @app.exception(LookupError)
    async def answered(request, exception):
        return response.text("none", status=410)

    @app.get("/refused")
    async def refused(request):
        raise Forbidden("no")

    @app.get("/child")
    async def child(request):
        with tracer.start_as_current_span("inside"):
            await asyncio.sleep(0)
        return response.text("ok")

    @app.websocket("/echo/<number:int>")
    async def echo(request, peer, number):
        message = await peer.recv()
        with tracer.start_as_current_span("inside"):
            await peer.send(message)
        if message == "boom":
            raise RuntimeError("password=hunter2")

    @shop.get("/things/<name:str>")
    async def thing(request, name):
        return response.text(name)

    shop.add_route(Cups.as_view(), "/cups/<name>")
    app.blueprint(shop)
    add_streams(app)
    return app


def add_streams(app):
    @app.get("/stream")
    async def stream(request):
        answer = await request.respond()
        for _ in range(3):
            with tracer.start_as_current_span("chunk"):
                await asyncio.sleep(0.011)
            await answer.send(b"chunk")
        await answer.eof()

    @app.get("/broken")
    async def broken(request):
        answer = await request.respond()
        await answer.send(b"half")
        raise RuntimeError("password=hunter2")

    @app.get("/endless")
    async def endless(request):
        answer = await request.respond()
        for _ in range(1000):  # as an ASGI application it is not told that nobody listens any more
            await answer.send(b"x" * 1000)
            await asyncio.sleep(0.001)


@contextmanager
def serving(app):
    """Sanic's own server, in a thread."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    async def start():
        server = await app.create_server(sock=listener, return_asyncio_server=True)
        await server.startup()
        await server.before_start()
        await server.after_start()
        ready.set()
        return server

    async def stop(server):
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.01)

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
        yield port
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


class TestSanic(HttpServerContract):
    def serving(self):
        return serving(application())

    @pytest.mark.parametrize(
        ("path", "route"),
        [
            ("/items/7", "/items/<number:int>"),
            ("/shop/things/a", "/shop/things/<name:str>"),
            ("/shop/cups/a", "/shop/cups/<name:str>"),
        ],
    )
    def test_a_route_is_as_sanic_writes_it(self, spans, port, path, route):
        assert self.ask(port, path)[0] == 200
        assert self.only(spans).name == f"GET {route}"

    def test_a_method_that_the_route_does_not_take_is_answered_without_a_route(self, spans, port):
        assert self.ask(port, "/child", "DELETE")[0] == 405
        span = self.only(spans)
        assert (span.name, span.status, span.events) == ("DELETE", "UNSET", [])
        assert span.attributes["http.response.status_code"] == 405

    @pytest.mark.parametrize(("path", "status"), [("/refused", 403), ("/handled", 410)])
    def test_an_exception_that_is_an_answer_or_has_one_is_no_failure(self, spans, port, path, status):
        assert self.ask(port, path)[0] == status
        span = self.only(spans)
        assert (span.status, span.events) == ("UNSET", [])
        assert span.attributes["http.response.status_code"] == status

    def test_an_exception_in_the_middle_of_the_answer_is_reported(self, spans, port):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /broken HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            while connection.recv(1000):
                pass
        span = self.only(spans)
        assert (span.status, span.attributes["error.type"]) == ("ERROR", "RuntimeError")
        assert span.attributes["http.response.status_code"] == 200
        assert [event.name for event in span.events] == ["exception"]

    def test_a_client_that_goes_away_is_no_error(self, spans, port):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.recv(100)
        span = self.only(spans, 5)
        assert (span.status, span.events) == ("UNSET", [])
        assert "error.type" not in span.attributes

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
        assert (span.name, span.status, span.events) == ("GET /echo/<number:int>", "UNSET", [])
        assert [child.name for child in spans.children_of(span)] == ["inside"]

    def test_how_long_a_websocket_lasts_is_no_requests_duration(self, spans, port):
        with connect(f"ws://127.0.0.1:{port}/echo/7") as peer:
            peer.send("hello")
            peer.recv()
        self.only(spans, 5)
        assert spans.metrics.named("http.server.request.duration") == []
        assert spans.metrics.named("http.server.active_requests") == []

    def test_an_exception_of_a_websockets_handler_is_reported(self, spans, port):
        with connect(f"ws://127.0.0.1:{port}/echo/7") as peer:
            peer.send("boom")
            assert peer.recv() == "boom"
        span = self.only(spans, 5)
        assert (span.status, span.attributes["error.type"]) == ("ERROR", "RuntimeError")
        assert len(span.events) == 1


class TestSanicUnderUvicorn(TestSanic):
    def serving(self):
        return serving_asgi(application(), lifespan="on")

    def test_an_unknown_method_is_kept_out_of_the_name(self, spans, port):
        self.ask(port, "/", "PROPFIND")  # one that each of uvicorn's parsers lets through
        span = self.only(spans)
        assert span.name.split()[0] == "HTTP"
        assert span.attributes["http.request.method_original"] == "PROPFIND"


PROGRAM = """
import sys
from sanic import Sanic, text

app = Sanic("shop")

@app.get("/cups/<name>")
async def cups(request, name):
    return text(name)

if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(sys.argv[1]), **eval(sys.argv[2]))
"""


@pytest.mark.parametrize("how", ["single_process=True", "workers=2"])
def test_each_way_to_run_it_makes_one_span_of_a_request(tmp_path, how):
    if installed_version("sanic").major == 22 and "single" in how:
        how = "workers=1"  # single_process came with 22.9
    (tmp_path / "shop.py").write_text(PROGRAM)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def answered():
        try:
            return HttpServerContract.ask(port, "/cups/a") == (200, b"a")
        except OSError:
            return False

    with Receiver() as receiver:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
        options = f"dict({how})"
        with running(
            [sys.executable, "shop.py", str(port), options], cwd=tmp_path, env=env, exits_within_s=1
        ) as server:
            wait_until("a worker answers", answered, within_s=30)
            wait_until("the span arrives", receiver.spans)
            assert "remora: " not in output(server)
        (span,) = [span for span in receiver.spans() if span["kind"] == "server"]
    assert span["name"] == "GET /cups/<name:str>"
    assert span["attributes"]["url.path"] == "/cups/a"
