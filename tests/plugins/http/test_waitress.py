"""waitress: any WSGI application"""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest
from waitress.server import create_server

from plugins.http import test_flask
from plugins.http.server_contract import HttpServerContract
from plugins.http.test_wsgiref import application


def close(server):
    """Ends the server's loop from inside; what its trigger duplicated it leaves open itself."""

    def closing():
        server.task_dispatcher.shutdown()
        server.asyncore.close_all(server._map, ignore_all=True)
        server.trigger.socket.close()

    server.trigger.pull_trigger(closing)


@contextmanager
def serving(application):
    server = create_server(application, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield int(server.effective_port)
    finally:
        close(server)
        thread.join(5)


class TestWaitress(HttpServerContract):
    knows_routes = False

    def serving(self):
        return serving(application)


class TestFlaskUnderWaitress(HttpServerContract):
    def serving(self):
        return serving(test_flask.application())


class Sized:
    def __init__(self, *items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __iter__(self):
        return iter(self.items)


@pytest.mark.parametrize("result", [Sized(b"whole"), iter([b"whole"]), (b"who", b"le")])
def test_a_body_arrives_as_the_application_gave_it(spans, result):
    def answering(environ, start_response):
        start_response("200 OK", [])
        return result

    with serving(answering) as port:
        assert HttpServerContract.ask(port, "/") == (200, b"whole")
    assert HttpServerContract.only(spans).attributes["http.response.status_code"] == 200


def test_a_file_is_sent_by_the_server_itself(spans, tmp_path):
    (tmp_path / "page").write_bytes(b"whole")

    def answering(environ, start_response):
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"]((tmp_path / "page").open("rb"))

    with serving(answering) as port:
        assert HttpServerContract.ask(port, "/") == (200, b"whole")
    assert HttpServerContract.only(spans).status == "UNSET"


def test_what_the_program_hung_on_its_application_stays_there():
    class Application:
        version = 7

        def __call__(self, environ, start_response):
            raise NotImplementedError

    server = create_server(Application(), host="127.0.0.1", port=0, clear_untrusted_proxy_headers=False)
    assert server.application.version == 7
    close(server)
    server.run()
