"""TLS and mutual TLS with certificates made for the test, rotation included."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from support.receiver import Answer, Receiver

if TYPE_CHECKING:
    from pathlib import Path

ONCE = {"first_backoff_s": 60.0}  # no second attempt, which might fail in another way


def test_a_private_ca_is_trusted_when_it_is_named(deliver: Any, payload: Any, certificates: Any) -> None:
    with Receiver(tls=certificates.server) as receiver:
        books = deliver(receiver.traces_url, certificate=certificates.ca)
        assert books.send(payload(2)).delivered == 2
        assert books.send(payload(2)).delivered == 2
        assert receiver.connections == 1


def test_large_payloads_and_answers_pass_through_tls(deliver: Any, payload: Any, certificates: Any) -> None:
    with Receiver(Answer(body=b"\0" * 60_000), 200, tls=certificates.server) as receiver:
        books = deliver(receiver.traces_url, certificate=certificates.ca)
        assert books.send(payload(1, filler_bytes=3_000_000)).delivered == 1
        assert books.send(payload()).delivered == 1
        assert len(receiver.requests[0].body) > 3_000_000
        assert receiver.connections == 1


def test_a_tls_connection_that_the_server_closed_is_replaced(deliver: Any, payload: Any, certificates: Any) -> None:
    with Receiver(tls=certificates.server) as receiver:
        books = deliver(receiver.traces_url, certificate=certificates.ca)
        books.send(payload())
        receiver.cut_connections()
        assert books.send(payload()).delivered == 1
        assert receiver.connections == 2


def test_a_client_certificate_is_shown_to_who_asks(deliver: Any, payload: Any, certificates: Any) -> None:
    with Receiver(tls=certificates.server, client_ca=certificates.ca) as receiver:
        books = deliver(
            receiver.traces_url,
            certificate=certificates.ca,
            client_certificate=certificates.client[0],
            client_key=certificates.client[1],
        )
        assert books.send(payload()).delivered == 1


def test_without_a_client_certificate_the_line_names_the_variables(
    deliver: Any, payload: Any, certificates: Any, said: Any
) -> None:
    with Receiver(tls=certificates.server, client_ca=certificates.ca) as receiver:
        outcome = deliver(receiver.traces_url, certificate=certificates.ca).send(payload(), 0.3)
    assert outcome.stored == 1
    assert said.lines
    assert all("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE" in line for line in said.lines)  # a reset may overtake the alert


def test_an_unknown_ca_is_refused_and_the_line_names_the_variable(
    deliver: Any, payload: Any, certificates: Any, said: Any
) -> None:
    with Receiver(tls=certificates.server) as receiver:
        outcome = deliver(receiver.traces_url, certificate=certificates.other_ca).send(payload())
        assert receiver.requests == []
    assert outcome.stored == 1
    assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in said.only
    assert "signed by nobody we know" in said.only


def test_a_certificate_for_another_name_is_refused(deliver: Any, payload: Any, certificates: Any, said: Any) -> None:
    with Receiver(tls=certificates.misnamed) as receiver:
        outcome = deliver(receiver.traces_url, certificate=certificates.ca).send(payload())
        assert receiver.requests == []
    assert outcome.stored == 1
    assert "its certificate is not for 127.0.0.1" in said.only


def test_rotated_client_certificates_are_used_without_a_restart(
    deliver: Any, payload: Any, certificates: Any, tmp_path: Path
) -> None:
    certificate, key = str(tmp_path / "client.pem"), str(tmp_path / "client.key")
    shutil.copy(certificates.client[0], certificate)
    shutil.copy(certificates.client[1], key)
    with Receiver(tls=certificates.server, client_ca=certificates.ca) as receiver:
        books = deliver(
            receiver.traces_url, certificate=certificates.ca, client_certificate=certificate, client_key=key
        )
        assert books.send(payload()).delivered == 1
        for path in (certificate, key):
            os.utime(path, ns=(1, 1))
        assert books.send(payload()).delivered == 1
        assert receiver.connections == 2


def test_a_rotation_that_is_half_done_keeps_the_last_good_certificate(
    deliver: Any, payload: Any, certificates: Any, tmp_path: Path, said: Any
) -> None:
    ca = tmp_path / "ca.pem"
    shutil.copy(certificates.ca, ca)
    with Receiver(tls=certificates.server) as receiver:
        books = deliver(receiver.traces_url, certificate=str(ca))
        assert books.send(payload()).delivered == 1
        ca.write_text("-----BEGIN CERT")
        assert books.send(payload()).delivered == 1
        assert "cannot be used yet" in said.only
        shutil.copy(certificates.other_ca, ca)
        assert books.send(payload()).stored == 1


@pytest.mark.parametrize("setting", ["certificate", "client_certificate"])
def test_a_missing_file_is_named_with_its_variable(
    deliver: Any, payload: Any, certificates: Any, said: Any, setting: str
) -> None:
    with Receiver(tls=certificates.server) as receiver:
        files = {"certificate": certificates.ca, setting: "/nowhere/file.pem"}
        assert deliver(receiver.traces_url, **files).send(payload()).stored == 1
    assert "/nowhere/file.pem" in said.only
    assert f"OTEL_EXPORTER_OTLP_{setting.upper()}" in said.only


def test_a_key_with_a_password_never_asks_for_it_on_the_terminal(
    deliver: Any, payload: Any, certificates: Any, tmp_path: Path, said: Any
) -> None:
    import subprocess

    locked = tmp_path / "locked.key"
    subprocess.run(
        ["openssl", "ec", "-aes256", "-passout", "pass:word", "-in", certificates.client[1], "-out", str(locked)],
        check=True,
        capture_output=True,
    )
    with Receiver(tls=certificates.server) as receiver:
        outcome = deliver(
            receiver.traces_url,
            certificate=certificates.ca,
            client_certificate=certificates.client[0],
            client_key=str(locked),
        ).send(payload())
    assert outcome.stored == 1
    assert "OTEL_EXPORTER_OTLP_CLIENT_KEY" in said.only


def test_https_to_a_server_without_tls_is_explained(deliver: Any, payload: Any, said: Any) -> None:
    with Receiver() as receiver:
        endpoint = receiver.traces_url.replace("http:", "https:")
        assert deliver(endpoint, building=ONCE).send(payload(), 5.0).stored == 1
    assert "use http://" in said.only


def test_http_to_a_server_with_tls_is_explained(deliver: Any, payload: Any, certificates: Any, said: Any) -> None:
    with Receiver(tls=certificates.server) as receiver:
        endpoint = receiver.traces_url.replace("https:", "http:")
        assert deliver(endpoint, building=ONCE).send(payload(), 5.0).stored == 1
    assert "https://" in said.only


def test_a_tls_server_that_answers_in_plain_http_is_explained(deliver: Any, payload: Any, said: Any) -> None:
    says = Answer(400, body=b"Client sent an HTTP request to an HTTPS server.\n")
    with Receiver(otherwise=says) as receiver:
        assert deliver(receiver.traces_url, compression="gzip").send(payload()).stored == 1
        assert len(receiver.requests) == 1
    assert "use https://" in said.only


def test_a_redirect_from_tls_to_plain_http_is_not_followed(deliver: Any, payload: Any, certificates: Any) -> None:
    with Receiver() as plain:
        down = Answer(308, headers={"Location": plain.traces_url})
        with Receiver(down, tls=certificates.server) as receiver:
            assert deliver(receiver.traces_url, certificate=certificates.ca).send(payload()).stored == 1
        assert plain.requests == []


def test_a_handshake_that_never_ends_takes_no_longer_than_the_deadline(deliver: Any, payload: Any) -> None:
    import socket
    import time

    with socket.create_server(("127.0.0.1", 0)) as mute:
        started = time.monotonic()
        outcome = deliver(f"https://127.0.0.1:{mute.getsockname()[1]}/v1/traces").send(payload(), 0.2)
        assert time.monotonic() - started < 0.5
    assert outcome.stored == 1
