"""hypercorn: any ASGI or WSGI application"""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager

import flask
from hypercorn.asyncio import serve
from hypercorn.config import Config

from plugins.http import plain_asgi, plain_wsgi
from plugins.http.server_contract import HttpServerContract
from support.processes import wait_until
from support.servers import accepts_connections, free_port


@contextmanager
def serving(application, mode="asgi"):
    port = free_port()
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.loglevel = "CRITICAL"
    config.errorlog = None
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def never():
        await over.wait()

    served = serve(application, config, shutdown_trigger=never, mode=mode)
    thread = threading.Thread(target=loop.run_until_complete, args=(served,), daemon=True)
    thread.start()
    wait_until("hypercorn listens", lambda: accepts_connections(port))
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()


class TestHypercorn(HttpServerContract):
    knows_routes = False

    def serving(self):
        return serving(plain_asgi.application)


class TestHypercornWsgi(HttpServerContract):
    knows_routes = False

    def serving(self):
        return serving(plain_wsgi.application, "wsgi")


def test_a_framework_inside_makes_no_second_span_and_tells_its_route(spans):
    app = flask.Flask("inside")
    app.add_url_rule("/items/<int:number>", "item", lambda number: str(number))
    with serving(app, "wsgi") as port:
        assert HttpServerContract.ask(port, "/items/7") == (200, b"7")
        span = HttpServerContract.only(spans)
    assert span.name == "GET /items/<int:number>"
    assert len(spans) == 1
