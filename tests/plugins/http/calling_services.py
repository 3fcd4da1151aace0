"""Services that post to every URL they are given: a JSON list of URLs in, the requests out, then 200."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import flask
import httpx
import requests
from aiohttp import web
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from plugins.http.threaded import serving, serving_asgi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager


def _flask_and_requests() -> AbstractContextManager[int]:
    app = flask.Flask("service")

    @app.post("/")
    def call() -> str:
        for url in flask.request.get_json(force=True):
            requests.post(url, data=b"", timeout=5)
        return "ok"

    return serving(app)


def _starlette_and_httpx() -> AbstractContextManager[int]:
    async def call(request: Any) -> PlainTextResponse:
        async with httpx.AsyncClient(trust_env=False) as client:
            for url in await request.json():
                await client.post(url, timeout=5)
        return PlainTextResponse("ok")

    return serving_asgi(Starlette(routes=[Route("/", call, methods=["POST"])]))


@contextmanager
def _aiohttp() -> Iterator[int]:
    async def call(request: web.Request) -> web.Response:
        async with aiohttp.ClientSession() as session:
            for url in await request.json():
                async with session.post(url) as response:
                    await response.read()
        return web.Response(text="ok")

    ports: list[int] = []
    listening = threading.Event()
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def main() -> None:
        app = web.Application()
        app.router.add_post("/", call)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.append(runner.addresses[0][1])
        listening.set()
        await over.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),), daemon=True)
    thread.start()
    assert listening.wait(5)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(5)
        loop.close()


class _Calling(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        for url in json.loads(self.rfile.read(int(self.headers["Content-Length"]))):
            parts = urlsplit(url)
            connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)
            connection.request("POST", parts.path, b"")
            connection.getresponse().read()
            connection.close()
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def _standard_library() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Calling) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port
        server.shutdown()


SERVICES: dict[str, Callable[[], AbstractContextManager[int]]] = {
    "flask and requests": _flask_and_requests,
    "starlette and httpx": _starlette_and_httpx,
    "aiohttp": _aiohttp,
    "http.server and http.client": _standard_library,
}
