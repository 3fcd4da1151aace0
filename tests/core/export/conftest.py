"""Real OTLP payloads, settings with short times, throwaway certificates, and an ear for what is said."""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from remora import diagnostics
from remora.export.chain import Delivery, build
from remora.export.sender import Outcome, Payload
from remora.settings import Otlp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def request(count: int, first: int = 0, filler_bytes: int = 0) -> bytes:
    """An ExportTraceServiceRequest with `count` spans named span-<n>."""
    message = ExportTraceServiceRequest()
    spans = message.resource_spans.add().scope_spans.add().spans
    for number in range(first, first + count):
        span = spans.add(name=f"span-{number}", trace_id=bytes(15) + b"\1", span_id=(number + 1).to_bytes(8, "big"))
        if filler_bytes:
            span.attributes.add(key="filler").value.string_value = "x" * filler_bytes
    return message.SerializeToString()


def spans_payload(count: int = 1, first: int = 0, filler_bytes: int = 0) -> Payload:
    def split() -> tuple[Payload, Payload]:
        half = count // 2
        return spans_payload(half, first, filler_bytes), spans_payload(count - half, first + half, filler_bytes)

    return Payload("traces", request(count, first, filler_bytes), count, split if count > 1 else None)


@pytest.fixture
def payload() -> Callable[..., Payload]:
    return spans_payload


class Kept:
    """A fallback that remembers what it was given."""

    def __init__(self) -> None:
        self.payloads: list[Payload] = []
        self.works = True

    def __call__(self, payload: Payload) -> bool:
        if self.works:
            self.payloads.append(payload)
        return self.works

    @property
    def items(self) -> int:
        return sum(payload.items for payload in self.payloads)


@pytest.fixture
def kept() -> Kept:
    return Kept()


def otlp(endpoint: str, **changes: Any) -> Otlp:
    values: dict[str, Any] = {
        "endpoint": endpoint,
        "configured": True,
        "protocol": "http/protobuf",
        "headers": {},
        "timeout_s": 1.0,
        "compression": "none",
        "certificate": None,
        "client_key": None,
        "client_certificate": None,
        "insecure": False,
    }
    return Otlp(**{**values, **changes})


class Books:
    """A delivery whose every outcome is checked: no item may be unaccounted for."""

    def __init__(self, delivery: Delivery, kept: Kept) -> None:
        self.delivery = delivery
        self.kept = kept

    def send(self, payload: Payload, within_s: float = 2.0) -> Outcome:
        stored_before = self.kept.items
        outcome = self.delivery.send(payload, time.monotonic() + within_s)
        assert outcome.items == payload.items, f"the books do not balance: {outcome}"
        assert min([outcome.delivered, outcome.stored, *outcome.dropped.values()]) >= 0
        assert self.kept.items - stored_before == outcome.stored
        return outcome


@pytest.fixture
def deliver(kept: Kept) -> Iterator[Callable[..., Books]]:
    """`deliver(url, **otlp_settings)` builds the chain with an empty environment and short pauses."""
    made: list[Delivery] = []

    def make(endpoint: str, *, building: dict[str, Any] | None = None, **changes: Any) -> Books:
        how: dict[str, Any] = {"fallback": kept, "environ": {}, "first_backoff_s": 0.02, **(building or {})}
        delivery = build(otlp(endpoint, **changes), version="1.2.3", **how)
        made.append(delivery)
        return Books(delivery, kept)

    yield make
    for delivery in made:
        delivery.close()


@dataclass
class Said:
    """The lines that were said since the test began."""

    lines: list[str]

    @property
    def only(self) -> str:
        assert len(self.lines) == 1, self.lines
        return self.lines[0]


@pytest.fixture(autouse=True)
def said(monkeypatch: pytest.MonkeyPatch) -> Said:
    lines: list[str] = []
    monkeypatch.setattr(diagnostics, "spoken", {})
    monkeypatch.setattr(diagnostics, "journal", [])
    monkeypatch.setattr(diagnostics, "_write", lambda message, level: lines.append(message))
    return Said(lines)


@dataclass(frozen=True)
class Certificates:
    """A CA, a server certificate for localhost and 127.0.0.1, one for another name, and a client's; all PEM files."""

    ca: str
    other_ca: str
    server: tuple[str, str]
    misnamed: tuple[str, str]
    client: tuple[str, str]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    if shutil.which("openssl") is None:
        pytest.fail("the openssl program is needed to make test certificates")
    ca, other = _authority(folder, "ca"), _authority(folder, "other")
    return Certificates(
        ca=ca[0],
        other_ca=other[0],
        server=_signed(folder, "server", ca, "DNS:localhost,IP:127.0.0.1"),
        misnamed=_signed(folder, "misnamed", ca, "DNS:collector.example"),
        client=_signed(folder, "client", ca, "DNS:client"),
    )


def _authority(folder: Path, name: str) -> tuple[str, str]:
    certificate, key = str(folder / f"{name}.pem"), str(folder / f"{name}.key")
    asked = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]  # Python 3.13 insists on it
    _openssl("req", "-x509", *_new_key(key), "-out", certificate, "-days", "2", "-subj", f"/CN={name}", *asked)
    return certificate, key


def _signed(folder: Path, name: str, ca: tuple[str, str], names: str) -> tuple[str, str]:
    certificate, key, asked = (str(folder / f"{name}.{end}") for end in ("pem", "key", "csr"))
    extensions = folder / f"{name}.ext"
    extensions.write_text(f"subjectAltName={names}\nauthorityKeyIdentifier=keyid\nkeyUsage=critical,digitalSignature\n")
    _openssl("req", *_new_key(key), "-out", asked, "-subj", f"/CN={name}")
    signing = ["-CA", ca[0], "-CAkey", ca[1], "-CAcreateserial", "-extfile", str(extensions), "-days", "2"]
    _openssl("x509", "-req", "-in", asked, "-out", certificate, *signing)
    return certificate, key


def _new_key(path: str) -> list[str]:
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path]


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=20)


@pytest.fixture
def quiet_servers() -> Iterator[list[Any]]:
    """Things to close when the test is over."""
    things: list[Any] = []
    yield things
    for thing in things:
        with suppress(OSError):
            thing.close()
