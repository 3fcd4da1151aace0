"""daphne: any ASGI application"""

from __future__ import annotations

import contextlib
import functools
import socket
import sys
import threading

import pytest

from plugins.http.plain_asgi import application
from plugins.http.server_contract import HttpServerContract
from support.processes import output, running, wait_until
from support.receiver import Receiver
from support.servers import accepts_connections, free_port


@functools.cache
def port_of_daphne():
    """One for all tests: Twisted's reactor runs once in a process, here in a thread with an event loop of its own."""
    port = free_port()

    def serve():
        from daphne.server import Server  # installs the reactor, and sets this thread's event loop

        Server(application, endpoints=[f"tcp:{port}:interface=127.0.0.1"], signal_handlers=False, verbosity=0).run()

    threading.Thread(target=serve, daemon=True).start()
    wait_until("daphne listens", lambda: accepts_connections(port))
    return port


class TestDaphne(HttpServerContract):
    knows_routes = False

    def serving(self):
        return contextlib.nullcontext(port_of_daphne())

    @pytest.fixture
    def port(self, spans):  # Remora is there before the server is
        return port_of_daphne()


def test_pipelined_requests_do_not_inherit_from_one_another(spans):
    port = port_of_daphne()
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GET /child HTTP/1.1\r\nHost: shop\r\n\r\n" * 3)
        wait_until("three requests are answered", lambda: len(spans.of_kind("SERVER")) == 3)
    servers = spans.of_kind("SERVER")
    assert [span.parent_id for span in servers] == [None] * 3
    assert len({span.trace_id for span in servers}) == 3
    assert [len(spans.children_of(span)) for span in servers] == [1] * 3


PROGRAM = """
import django
from django.conf import settings

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x", LOGGING_CONFIG=None)
django.setup()

from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("items/<int:number>", lambda request, number: HttpResponse(str(number)))]
application = get_asgi_application()
"""


def test_its_command_serves_django_with_one_span_of_a_request(tmp_path):
    (tmp_path / "shop.py").write_text(PROGRAM)
    port = free_port()
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "shop:application"]
    with Receiver() as receiver:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
        with running(command, cwd=tmp_path, env=env) as server:
            wait_until("daphne listens", lambda: accepts_connections(port), within_s=20)
            assert HttpServerContract.ask(port, "/items/7") == (200, b"7")
            wait_until("the span arrives", receiver.spans)
            assert "remora: " not in output(server)
        (span,) = receiver.spans()
    assert (span["name"], span["kind"]) == ("GET /items/<int:number>", "server")
    assert span["attributes"]["url.path"] == "/items/7"
