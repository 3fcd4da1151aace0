"""What is peculiar to ASGI, the same for a plain application and all frameworks, behind a real server."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import fastapi
import pytest
import quart
from litestar import Litestar
from litestar import WebSocket as LitestarSocket
from litestar import get as litestar_get
from litestar import websocket as litestar_websocket
from litestar.background_tasks import BackgroundTask as LitestarTask
from litestar.response import Response as LitestarResponse
from litestar.response import Stream
from opentelemetry import trace
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect
from websockets.sync.client import connect

from plugins.http.server_contract import HttpServerContract
from plugins.http.threaded import serving_asgi
from remora.telemetry.spans_cy import current, root
from support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

# What works in all versions of Litestar, though the latest would have it written otherwise.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

ask = HttpServerContract.ask
MANY = 10_000


async def chunks() -> AsyncIterator[bytes]:
    for _ in range(MANY):
        yield b"x"


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield b"x"
        await asyncio.sleep(0.005)


async def afterwards() -> None:
    await asyncio.sleep(0.1)
    with trace.get_tracer("contract").start_as_current_span("afterwards"):
        pass


def inside() -> None:
    with trace.get_tracer("contract").start_as_current_span("inside"):
        pass


class Passing(BaseHTTPMiddleware):
    """Runs the application in a task of its own."""

    async def dispatch(self, request: Any, call_next: Any) -> Any:
        return await call_next(request)


def starlette_application(*middleware: Middleware) -> Any:
    async def many(_: Any) -> Any:
        return StreamingResponse(chunks())

    async def slow(_: Any) -> Any:
        return StreamingResponse(endless())

    async def child(_: Any) -> Any:
        inside()
        return PlainTextResponse("ok")

    async def background(_: Any) -> Any:
        return PlainTextResponse("ok", background=BackgroundTask(afterwards))

    async def echo(websocket: Any) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())
        inside()
        await websocket.close()

    routes = {"/many": many, "/slow": slow, "/child": child, "/background": background}
    return Starlette(
        routes=[*(Route(path, of) for path, of in routes.items()), WebSocketRoute("/echo/{number}", echo)],
        middleware=middleware,
    )


def starlette_with_middleware() -> Any:
    return starlette_application(Middleware(Passing))


def fastapi_application() -> Any:
    app = fastapi.FastAPI()

    @app.get("/many")
    async def many() -> Any:
        return StreamingResponse(chunks())

    @app.get("/slow")
    async def slow() -> Any:
        return StreamingResponse(endless())

    @app.get("/child")
    async def child() -> str:
        inside()
        return "ok"

    async def background(tasks: fastapi.BackgroundTasks) -> str:
        tasks.add_task(afterwards)
        return "ok"

    background.__annotations__["tasks"] = fastapi.BackgroundTasks
    app.get("/background")(background)

    async def echo(websocket: fastapi.WebSocket, number: int) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())
        inside()
        await websocket.close()

    echo.__annotations__["websocket"] = fastapi.WebSocket
    app.websocket("/echo/{number}")(echo)
    return app


def quart_application() -> Any:
    app = quart.Quart("contract")

    @app.route("/many")
    async def many() -> Any:
        return chunks()

    @app.route("/slow")
    async def slow() -> Any:
        return endless()

    @app.route("/child")
    async def child() -> str:
        inside()
        return "ok"

    @app.route("/background")
    async def background() -> str:
        app.add_background_task(afterwards)
        return "ok"

    @app.websocket("/echo/<int:number>")
    async def echo(number: int) -> None:
        await quart.websocket.send(await quart.websocket.receive())
        inside()

    return app


def litestar_application() -> Any:
    @litestar_get("/many")
    async def many() -> Stream:
        return Stream(chunks())

    @litestar_get("/slow")
    async def slow() -> Stream:
        return Stream(endless())

    @litestar_get("/child")
    async def child() -> str:
        inside()
        return "ok"

    @litestar_get("/background")
    async def background() -> LitestarResponse[str]:
        return LitestarResponse("ok", background=LitestarTask(afterwards))

    async def echo(socket: LitestarSocket, number: int) -> None:
        await socket.accept()
        await socket.send_text(await socket.receive_text())
        inside()
        await socket.close()

    echo.__annotations__ |= {"socket": LitestarSocket, "number": int, "return": None}
    return Litestar([many, slow, child, background, litestar_websocket("/echo/{number:int}")(echo)])


def plain_application() -> Any:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            await send({"type": "websocket.send", "text": message["text"]})
            inside()
            await send({"type": "websocket.close"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        path = scope["path"]
        if path == "/child":
            inside()
        if path == "/slow":
            while (await receive())["type"] != "http.disconnect":
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
            return
        if path == "/many":
            async for chunk in chunks():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        if path == "/background":
            await afterwards()

    return application


APPLICATIONS = [
    plain_application,
    starlette_application,
    starlette_with_middleware,
    fastapi_application,
    quart_application,
    litestar_application,
]
FRAMEWORKS = APPLICATIONS[1:]


@pytest.fixture(params=APPLICATIONS, ids=lambda made: made.__name__)
def port(request, spans):
    with serving_asgi(request.param()) as port:
        yield port


@pytest.fixture
def server(spans) -> Callable[[], Any]:
    return lambda: HttpServerContract.only(spans, 5)


def test_ten_thousand_chunks_are_one_span(spans, server, port):
    assert ask(port, "/many") == (200, b"x" * MANY)
    assert server().status == "UNSET"
    assert len(spans) == 1


def test_background_tasks_are_inside_and_do_not_lengthen_the_request(spans, server, port):
    ask(port, "/background")
    wait_until("the task ran", lambda: spans.named("afterwards"))
    (task,) = spans.named("afterwards")
    assert (task.trace_id, task.parent_id) == (server().trace_id, server().span_id)
    assert server().end_ns < task.start_ns


def test_a_client_that_goes_away_is_no_error(server, port):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.recv(100)
    assert (server().status, server().events) == ("UNSET", [])
    assert "error.type" not in server().attributes


def test_pipelined_requests_do_not_inherit_from_one_another(spans, port):
    once = b"GET /child HTTP/1.1\r\nHost: a\r\n%s\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(once % b"" * 4 + once % b"Connection: close\r\n")
        while connection.recv(65536):
            pass
    wait_until("all ended", lambda: len(spans.of_kind("SERVER")) == 5)
    assert len({span.trace_id for span in spans.of_kind("SERVER")}) == 5
    assert all(span.parent_id is None for span in spans.of_kind("SERVER"))


def test_a_websocket_is_one_span_for_the_connection(spans, server, port):
    with connect(f"ws://127.0.0.1:{port}/echo/7?a=1") as websocket:
        websocket.send("hello")
        assert websocket.recv() == "hello"
    expected = {
        "http.request.method": "GET",
        "http.response.status_code": 101,
        "url.path": "/echo/7",
        "url.query": "a=1",
        "server.port": port,
        "network.peer.address": "127.0.0.1",
    }
    span = server()
    assert expected.items() <= span.attributes.items()
    assert (span.status, span.events) == ("UNSET", [])
    assert [child.name for child in spans.children_of(span)] == ["inside"]
    assert span.name == f"GET {span.attributes.get('http.route', '')}".rstrip()
    assert "7" not in span.name


def test_how_long_a_websocket_lasts_is_no_requests_duration(spans, server, port):
    with connect(f"ws://127.0.0.1:{port}/echo/7") as websocket:
        websocket.send("hello")
        websocket.recv()
    assert server().attributes["http.response.status_code"] == 101
    assert spans.metrics.named("http.server.request.duration") == []
    assert spans.metrics.named("http.server.active_requests") == []


def test_a_websocket_whose_client_only_leaves_is_no_error(server, port):
    with connect(f"ws://127.0.0.1:{port}/echo/7"):
        pass
    assert server().attributes["http.response.status_code"] == 101
    assert (server().status, server().events) == ("UNSET", [])


def test_a_close_that_the_server_refuses_since_the_client_left_is_no_error(server):
    # Litestar 2.0 under uvicorn
    async def endpoint(websocket: Any) -> None:
        await websocket.accept()
        try:
            await websocket.receive_text()
        except WebSocketDisconnect:
            await websocket.close()

    coming = iter([{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1001}])

    async def receive() -> dict[str, Any]:
        return next(coming)

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "websocket.close":
            raise RuntimeError("Unexpected ASGI message")

    application = Starlette(routes=[WebSocketRoute("/ws", endpoint)])
    scope = {"type": "websocket", "path": "/ws", "query_string": b"", "headers": [], "scheme": "ws"}
    with pytest.raises(RuntimeError, match="Unexpected"):
        asyncio.run(application(scope, receive, send))
    assert (server().status, server().events) == ("UNSET", [])


@pytest.mark.parametrize("made", FRAMEWORKS)
def test_a_cancelled_request_is_no_error_and_leaves_nothing_current(made, spans, server):
    application = made()

    async def given_up() -> None:
        begun = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0 if not begun.is_set() else 60)
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(_: Any) -> None:
            begun.set()

        scope = {"type": "http", "method": "GET", "path": "/slow", "raw_path": b"/slow", "query_string": b""}
        scope |= {"http_version": "1.1", "scheme": "http", "headers": [], "root_path": "", "asgi": {"version": "3.0"}}
        task = asyncio.ensure_future(application(scope, receive, send))
        await asyncio.wait_for(begun.wait(), 5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert current() is root()

    asyncio.run(given_up())
    assert (server().status, server().events) == ("UNSET", [])
    assert "error.type" not in server().attributes
