"""gunicorn: any WSGI application, in each kind of worker"""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import contextmanager

import pytest
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.workers.sync import SyncWorker

from plugins.http import test_django, test_flask
from plugins.http.server_contract import HttpServerContract
from plugins.http.test_wsgiref import application
from support.processes import output, running, wait_until
from support.receiver import Receiver


class Embedded(BaseApplication):
    def __init__(self, application):
        self.application = application
        super().__init__()

    def load_config(self):
        self.cfg.set("proc_name", "contract")

    def load(self):
        return self.application


@contextmanager
def serving(application):
    """A worker's own handling of connections, without the arbiter and its fork."""
    app = Embedded(application)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        worker = SyncWorker(1, 1, [listener], app, 30, app.cfg, Logger(app.cfg))
        worker.load_wsgi()

        def accept():
            while True:
                try:
                    client, address = listener.accept()
                except OSError:
                    return
                threading.Thread(target=worker.handle, args=(listener, client, address), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)
            worker.tmp.close()


class TestGunicorn(HttpServerContract):
    knows_routes = False

    def serving(self):
        return serving(application)


class TestFlaskUnderGunicorn(HttpServerContract):
    def serving(self):
        return serving(test_flask.application())


class TestDjangoUnderGunicorn(HttpServerContract):
    def serving(self):
        return serving(test_django.get_wsgi_application())


PROGRAM = """
def app(environ, start_response):
    start_response("200 OK", [])
    yield environ["PATH_INFO"].encode()
"""


@pytest.mark.parametrize("kind", ["sync", "gthread"])
def test_each_kind_of_worker_makes_one_span_of_a_request(tmp_path, kind):
    (tmp_path / "shop.py").write_text(PROGRAM)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "-k", kind, "-b", f"127.0.0.1:{port}", "shop:app"]

    def answered():
        try:
            return HttpServerContract.ask(port, "/cups") == (200, b"/cups")
        except OSError:
            return False

    with Receiver() as receiver:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
        with running(command, cwd=tmp_path, env={**env, "PYTHONPATH": str(tmp_path)}) as server:
            wait_until("the worker answers", answered, within_s=20)
            wait_until("the span arrives", receiver.spans)
            assert "remora: " not in output(server)
        (span,) = receiver.spans()
    assert (span["name"], span["kind"]) == ("GET", "server")
    assert span["attributes"]["url.path"] == "/cups"
