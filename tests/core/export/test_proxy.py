"""Which proxy is asked, and that the requests really go through it."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from remora.export.address import parse
from remora.export.proxy import proxy_for
from support.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator


class Proxy:
    """Tunnels CONNECT to `upstream`, whatever was asked for, and notes the request heads."""

    def __init__(self, upstream: int, status: str = "200 Connection established") -> None:
        self.heads: list[str] = []
        self._upstream = upstream
        self._status = status
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._open.append(client)
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(1)
        self.heads.append(head.decode("latin-1"))
        client.sendall(f"HTTP/1.1 {self._status}\r\n\r\n".encode())
        if not self._status.startswith("200"):
            client.close()
            return
        server = socket.create_connection(("127.0.0.1", self._upstream))
        self._open.append(server)
        threading.Thread(target=_pump, args=(server, client), daemon=True).start()
        _pump(client, server)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def proxying(upstream: int, status: str = "200 Connection established") -> Iterator[Proxy]:
    proxy = Proxy(upstream, status)
    try:
        yield proxy
    finally:
        proxy.close()


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat the loopback address as any other host, for these tests have no other."""
    monkeypatch.setattr("remora.export.proxy._is_loopback", lambda host: False)


@pytest.mark.usefixtures("named")
def test_https_goes_through_a_tunnel_with_the_proxys_credentials(deliver: Any, payload: Any, certificates: Any) -> None:
    with Receiver(tls=certificates.server) as receiver, proxying(receiver.port) as proxy:
        environ = {"HTTPS_PROXY": proxy.url.replace("://", "://ann:p%40ss@")}
        books = deliver(
            receiver.traces_url,
            certificate=certificates.ca,
            headers={"authorization": "for the collector"},
            building={"environ": environ},
        )
        assert books.send(payload(2)).delivered == 2
        assert books.send(payload(2)).delivered == 2
        (head,) = proxy.heads
    assert head.startswith(f"CONNECT 127.0.0.1:{receiver.port} HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic YW5uOnBAc3M=\r\n" in head
    assert "for the collector" not in head
    assert "proxy-authorization" not in receiver.requests[0].headers


@pytest.mark.usefixtures("named")
def test_plain_http_asks_the_proxy_for_the_whole_url(deliver: Any, payload: Any) -> None:
    with Receiver() as proxy:  # a receiver is proxy enough: it answers whatever path it is asked for
        environ = {"http_proxy": f"http://ann:secret@127.0.0.1:{proxy.port}"}
        endpoint = "http://collector.example:4318/v1/traces?tenant=1"
        deliver(endpoint, building={"environ": environ}).send(payload())
        (request,) = proxy.requests
    assert request.path == endpoint
    assert request.headers["host"] == "collector.example:4318"
    assert request.headers["proxy-authorization"].startswith("Basic ")


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize(("status", "mend"), [("407 Auth", "user and a password"), ("403 Forbidden", "NO_PROXY")])
def test_a_proxy_that_refuses_is_explained(deliver: Any, payload: Any, said: Any, status: str, mend: str) -> None:
    with proxying(1, status) as proxy:
        books = deliver("https://collector.example/v1/traces", building={"environ": {"https_proxy": proxy.url}})
        assert books.send(payload()).stored == 1
    assert mend in said.only


def test_a_loopback_collector_is_never_asked_of_a_proxy(deliver: Any, payload: Any) -> None:
    with Receiver() as receiver:
        books = deliver(receiver.traces_url, building={"environ": {"HTTP_PROXY": "http://127.0.0.1:1"}})
        assert books.send(payload()).delivered == 1


@pytest.mark.parametrize(
    ("url", "environ", "proxied"),
    [
        ("http://c.example/", {}, False),
        ("http://c.example/", {"HTTP_PROXY": "p:1"}, True),
        ("http://c.example/", {"http_proxy": "", "HTTP_PROXY": "p:1"}, False),
        ("http://c.example/", {"HTTPS_PROXY": "p:1"}, False),
        ("https://c.example/", {"HTTPS_PROXY": "p:1"}, True),
        ("http://c.example/", {"HTTP_PROXY": "p:1", "REQUEST_METHOD": "GET"}, False),
        ("http://c.example/", {"http_proxy": "p:1", "REQUEST_METHOD": "GET"}, True),
        ("http://c.example/", {"HTTP_PROXY": "p:1", "NO_PROXY": "*"}, False),
        ("http://c.example/", {"HTTP_PROXY": "p:1", "NO_PROXY": "a.b, c.example"}, False),
        ("http://c.example/", {"HTTP_PROXY": "p:1", "NO_PROXY": "example"}, False),
        ("http://c.example/", {"HTTP_PROXY": "p:1", "no_proxy": ".example"}, False),
        ("http://c.example/", {"HTTP_PROXY": "p:1", "no_proxy": "*.example"}, False),
        ("http://c.example/", {"HTTP_PROXY": "p:1", "NO_PROXY": "xample"}, True),
        ("http://c.example:4318/", {"HTTP_PROXY": "p:1", "NO_PROXY": "c.example:4318"}, False),
        ("http://c.example:4318/", {"HTTP_PROXY": "p:1", "NO_PROXY": "c.example:4317"}, True),
        ("http://10.1.2.3/", {"HTTP_PROXY": "p:1", "NO_PROXY": "10.0.0.0/8"}, False),
        ("http://11.1.2.3/", {"HTTP_PROXY": "p:1", "NO_PROXY": "10.0.0.0/8"}, True),
        ("http://c.example/", {"HTTP_PROXY": "p:1", "NO_PROXY": "10.0.0.0/8,nonsense/x"}, True),
        ("http://[fd00::1]/", {"HTTP_PROXY": "p:1", "NO_PROXY": "fd00::/8"}, False),
        ("http://[fd00::1]/", {"HTTP_PROXY": "p:1", "NO_PROXY": "[fd00::1]"}, False),
        ("http://localhost:4318/", {"HTTP_PROXY": "p:1"}, False),
        ("http://127.0.0.5:4318/", {"HTTP_PROXY": "p:1"}, False),
        ("http://[::1]:4318/", {"HTTP_PROXY": "p:1"}, False),
    ],
)
def test_the_environment_decides_about_the_proxy(url: str, environ: dict[str, str], proxied: bool) -> None:
    assert (proxy_for(parse(url), environ) is not None) == proxied


def test_a_proxy_variable_that_is_no_url_is_explained_and_nothing_is_lost(
    deliver: Any, payload: Any, said: Any
) -> None:
    environ = {"HTTP_PROXY": "socks5://ann:secret@p:1"}
    assert deliver("http://c.example/v1/traces", building={"environ": environ}).send(payload()).stored == 1
    assert "socks5" in said.only
    assert "secret" not in said.only
