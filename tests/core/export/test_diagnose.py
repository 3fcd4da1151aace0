"""One line that names what is wrong and what mends it, not more than one a minute, and one when it is over."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from remora.export.diagnose import Place, explain
from remora.export.reply import RETRYABLE, Reply
from support.receiver import Answer, Receiver

ONCE = {"first_backoff_s": 60.0}  # no second attempt, which might fail in another way


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_refused_connection_names_port_and_variable(deliver: Any, payload: Any, said: Any) -> None:
    port = closed_port()
    assert deliver(f"http://127.0.0.1:{port}/v1/traces", building=ONCE).send(payload(), 5.0).stored == 1
    assert f"nobody listens on port {port}" in said.only
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in said.only
    assert said.only.endswith("telemetry is kept in the local store meanwhile")


def test_nothing_is_promised_about_a_store_that_there_is_not(deliver: Any, payload: Any, said: Any) -> None:
    books = deliver(f"http://127.0.0.1:{closed_port()}/v1/traces", building={"fallback": None})
    assert books.send(payload(), 0.2).dropped == {"unreachable": 1}
    assert "store" not in said.only


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_name_the_variable_and_never_the_value(
    deliver: Any, payload: Any, said: Any, status: int
) -> None:
    with Receiver(Answer(status, body=b"your token s3cr3t-token is bad")) as receiver:
        books = deliver(receiver.traces_url, headers={"authorization": "s3cr3t-token"})
        assert books.send(payload()).stored == 1
    assert f"status {status}" in said.only
    assert "OTEL_EXPORTER_OTLP_HEADERS" in said.only
    assert "s3cr3t" not in said.only


def test_a_server_that_quotes_a_secret_in_its_refusal_does_not_bring_it_into_the_line(
    deliver: Any, payload: Any, said: Any
) -> None:
    with Receiver(Answer(400, body=b"bad tenant s3cr3t-token, \x1b[2Jgo away")) as receiver:
        books = deliver(receiver.traces_url, headers={"x-token": "s3cr3t-token"})
        assert books.send(payload()).dropped == {"rejected": 1}
    assert "bad tenant ***, [2Jgo away" in said.only


def test_secrets_in_the_endpoint_stay_out_of_the_line(deliver: Any, payload: Any, said: Any) -> None:
    with Receiver(404) as receiver:
        endpoint = receiver.traces_url.replace("://", "://ann:p4ssw0rd@") + "?key=k3y"
        deliver(endpoint).send(payload())
    assert "p4ssw0rd" not in said.only
    assert "k3y" not in said.only


def test_a_wrong_path_is_explained_with_the_rule_for_endpoints(deliver: Any, payload: Any, said: Any) -> None:
    with Receiver() as receiver:
        assert deliver(receiver.url + "/collect").send(payload()).stored == 1
    assert "status 404" in said.only
    assert f"{receiver.url}/collect" in said.only
    assert "/v1/traces is added" in said.only


def test_a_garbage_answer_is_quoted_harmlessly(deliver: Any, payload: Any, said: Any) -> None:
    with Receiver(Answer(raw=b"SSH-2.0-OpenSSH\x1b[31m{host}\r\n")) as receiver:
        assert deliver(receiver.traces_url).send(payload()).stored == 1
    assert "no HTTP (it says: SSH-2.0-OpenSSH" in said.only
    assert "\x1b" not in said.only


def test_an_unknown_host_name_is_explained(deliver: Any, payload: Any, said: Any) -> None:
    assert deliver("http://collector.invalid:4318/v1/traces").send(payload(), 1.0).stored == 1
    assert "collector.invalid cannot be resolved" in said.lines[0]


def test_a_server_that_only_closes_connections_is_explained(deliver: Any, payload: Any, said: Any) -> None:
    with Receiver(otherwise=Answer(drop=True)) as receiver:
        assert deliver(receiver.traces_url, building=ONCE).send(payload(), 5.0).stored == 1
    assert "closes the connection without an answer" in said.only


@pytest.mark.parametrize(
    "endpoint", ["collector:4318", "ftp://collector/", "http://", "http://host:port/", "http://[::1/"]
)
def test_an_endpoint_that_is_no_url_is_explained(deliver: Any, payload: Any, said: Any, endpoint: str) -> None:
    assert deliver(endpoint, building=ONCE).send(payload(), 5.0).stored == 1
    assert "URL" in said.only


def test_an_old_grpc_server_on_4317_that_just_hangs_up_is_recognized_by_its_port() -> None:
    reply = Reply(RETRYABLE, error=ConnectionResetError(104, "Connection reset by peer"))
    _, text = explain(reply, Place("http://c:4317/v1/traces", "c", 4317))
    assert "port 4317 speaks gRPC" in text
    assert "OTEL_EXPORTER_OTLP_PROTOCOL=grpc" in text


def test_a_tls_server_that_just_hangs_up_may_want_a_client_certificate() -> None:
    reply = Reply(RETRYABLE, error=ConnectionResetError(104, "Connection reset by peer"))
    _, text = explain(reply, Place("https://c/v1/traces", "c", 443))
    assert "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE" in text


def test_a_server_that_goes_away_on_http2_terms_speaks_grpc() -> None:
    goaway = b"\x00\x00\x11\x07\x00\x00\x00\x00\x00" + b"\0" * 17
    _, text = explain(Reply(RETRYABLE, error=ValueError(), opening=goaway), Place("http://c:9/v1/traces", "c", 9))
    assert "port 9 speaks gRPC" in text


def test_an_expired_certificate_is_explained() -> None:
    import ssl

    error = ssl.SSLCertVerificationError()
    error.verify_code = 10
    _, text = explain(Reply(RETRYABLE, error=error), Place("https://c/", "c", 443))
    assert "expired" in text


def test_the_same_trouble_is_told_once_a_minute_and_its_end_once(
    deliver: Any, payload: Any, said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = time.monotonic()
    monkeypatch.setattr("remora.diagnostics.time.monotonic", lambda: now_s)
    with Receiver(401, 401, 200, 200, 401) as receiver:
        books = deliver(receiver.traces_url)
        for _ in range(4):
            books.send(payload())
        assert len(said.lines) == 2
        assert "status 401" in said.lines[0]
        assert said.lines[1] == f"delivery to {receiver.traces_url} works again"
        books.send(payload())
        assert len(said.lines) == 2
        now_s += 61
        receiver.plan(401)
        books.send(payload())
        assert len(said.lines) == 3


def test_two_troubles_are_told_apart(deliver: Any, payload: Any, said: Any) -> None:
    with Receiver(401, 404) as receiver:
        books = deliver(receiver.traces_url)
        books.send(payload())
        books.send(payload())
    assert ["401" in line for line in said.lines] == [True, False]
    assert ["404" in line for line in said.lines] == [False, True]


def test_the_trouble_can_be_asked_for(deliver: Any, payload: Any) -> None:
    with Receiver(401) as receiver:
        books = deliver(receiver.traces_url, compression="gzip")
        assert books.delivery.condition()["trouble"] == ""
        books.send(payload())
        condition = books.delivery.condition()
        assert "status 401" in condition["trouble"]
        assert (condition["endpoint"], condition["codec"], condition["status"]) == (receiver.traces_url, "gzip", "401")
        books.send(payload())
        assert books.delivery.condition()["trouble"] == ""


def test_any_other_fault_of_a_certificate_is_told_in_openssls_words() -> None:
    import ssl

    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = 92, "CA cert does not include key usage extension"
    _, text = explain(Reply(RETRYABLE, error=error), Place("https://c/", "c", 443))
    assert "CA cert does not include key usage extension" in text


PAGE = b"<!doctype html><html><head><title>Welcome to\n nginx!</title></head><body>It works.</body></html>"


@pytest.mark.parametrize(
    ("content_type", "body", "told"),
    [
        ("text/html; charset=utf-8", PAGE, 'answered HTML ("Welcome to nginx!")'),
        ("", PAGE, 'answered HTML ("Welcome to nginx!")'),
        ("text/plain", b"It works.", "answered text/plain"),
        ("application/xml", b"<ok/>", "answered application/xml"),
    ],
)
def test_a_page_is_no_delivery_though_its_status_is_200(
    deliver: Any, payload: Any, said: Any, content_type: str, body: bytes, told: str
) -> None:
    page = Answer(headers={"Content-Type": content_type}, body=body)
    with Receiver(otherwise=page) as receiver:
        outcome = deliver(receiver.traces_url).send(payload(3))
    assert (outcome.delivered, outcome.stored) == (0, 3)
    assert told in said.only
    assert "is that an OTLP endpoint" in said.only
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in said.only
    assert "kept in the local store" in said.only


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-protobuf", b""),
        ("application/protobuf", b""),
        ("application/json", b"{}"),
        ("application/json; charset=utf-8", b'{"partialSuccess":{}}'),
        ("text/plain; charset=utf-8", b"{}"),
        ("text/html", b""),
        ("", b"ok"),
    ],
)
def test_what_otlp_servers_answer_is_a_delivery(
    deliver: Any, payload: Any, said: Any, content_type: str, body: bytes
) -> None:
    with Receiver(otherwise=Answer(headers={"Content-Type": content_type}, body=body)) as receiver:
        assert deliver(receiver.traces_url).send(payload(3)).delivered == 3
    assert said.lines == []


def test_after_a_portal_has_let_us_through_deliveries_are_deliveries_again(
    deliver: Any, payload: Any, said: Any
) -> None:
    with Receiver(Answer(headers={"Content-Type": "text/html"}, body=PAGE)) as receiver:
        books = deliver(receiver.traces_url)
        assert books.send(payload()).stored == 1
        assert books.send(payload()).delivered == 1
    assert "works again" in said.lines[-1]
