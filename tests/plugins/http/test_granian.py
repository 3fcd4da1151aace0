"""granian: any ASGI or WSGI application"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from contextlib import contextmanager

import pytest
from granian.constants import Interfaces
from granian.server.embed import Server

from plugins.http.plain_asgi import application
from plugins.http.server_contract import HttpServerContract
from support.processes import output, running, wait_until
from support.receiver import Receiver


@contextmanager
def serving(application):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    loops = []
    server = Server(application, port=port, interface=Interfaces.ASGINL, log_enabled=False)

    def run():
        async def serve():
            loops.append(asyncio.get_running_loop())
            await server.serve()

        asyncio.run(serve())

    def answers():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    wait_until("granian listens", answers)
    try:
        yield port
    finally:
        loops[0].call_soon_threadsafe(server.stop)
        thread.join(5)


class TestGranian(HttpServerContract):
    knows_routes = False

    def serving(self):
        return serving(application)


PROGRAM = """
def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [environ["PATH_INFO"].encode()]

async def asgi(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})
"""


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_each_interface_of_its_command_makes_one_span_of_a_request(tmp_path, interface):
    (tmp_path / "shop.py").write_text(PROGRAM)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", interface, "--port", str(port), f"shop:{interface}"]

    def answered():
        try:
            return HttpServerContract.ask(port, "/cups") == (200, b"/cups")
        except OSError:
            return False

    with Receiver() as receiver:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
        with running(command, cwd=tmp_path, env=env, exits_within_s=5) as server:
            wait_until("the worker answers", answered, within_s=20)
            wait_until("the span arrives", receiver.spans)
            assert "remora: " not in output(server)
        (span,) = receiver.spans()
    assert (span["name"], span["kind"]) == ("GET", "server")
    assert span["attributes"]["url.path"] == "/cups"
