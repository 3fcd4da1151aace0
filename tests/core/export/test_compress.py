"""Codecs that the endpoint can read, found by trying and remembered."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from remora.export.compress import Compressing, codecs
from remora.export.reply import ACCEPTED, UNREADABLE, Reply
from support.receiver import Receiver, decompress


@pytest.mark.parametrize("name", ["zstd", "gzip", "deflate", "none"])
def test_each_codec_arrives_readable_and_named(deliver: Any, payload: Any, name: str) -> None:
    with Receiver() as receiver:
        assert deliver(receiver.traces_url, compression=name).send(payload(50)).delivered == 50
        (request,) = receiver.requests
    assert request.encoding == name
    assert request.body == payload(50).body
    assert (len(request.raw) < len(request.body)) == (name != "none")


@given(st.binary(max_size=5000))
def test_every_body_survives_every_codec(body: bytes) -> None:
    for codec in [*codecs("zstd"), *codecs("deflate")]:
        assert decompress(codec.compress(body), codec.name) == body


def test_zstd_is_one_whole_frame_that_tells_its_size(payload: Any) -> None:
    body = payload(100).body
    compressed = codecs("zstd")[0].compress(body)
    assert zstandard.frame_content_size(compressed) == len(body)
    assert zstandard.ZstdDecompressor().decompress(compressed) == body


@pytest.mark.parametrize("status", [400, 415])
def test_a_refused_codec_is_replaced_by_the_next_for_the_same_batch(
    deliver: Any, payload: Any, said: Any, status: int
) -> None:
    with Receiver(refused_codecs={"zstd": status}) as receiver:
        books = deliver(receiver.traces_url, compression="zstd")
        assert books.send(payload(3)).delivered == 3
        assert [request.encoding for request in receiver.requests] == ["zstd", "gzip"]
        assert books.send(payload(3)).delivered == 3
        assert [request.encoding for request in receiver.requests] == ["zstd", "gzip", "gzip"]
    assert said.lines == []


def test_an_endpoint_that_reads_no_codec_gets_plain_bytes(deliver: Any, payload: Any) -> None:
    with Receiver(refused_codecs={"zstd": 400, "gzip": 415}) as receiver:
        books = deliver(receiver.traces_url, compression="zstd")
        assert books.send(payload(3)).delivered == 3
        assert [request.encoding for request in receiver.requests] == ["zstd", "gzip", "none"]
        assert books.delivery.condition()["codec"] == "none"


def test_a_payload_that_is_refused_even_uncompressed_is_rejected_and_the_codec_stays(
    deliver: Any, payload: Any, said: Any
) -> None:
    with Receiver(400, 400, 400) as receiver:
        books = deliver(receiver.traces_url, compression="zstd")
        assert books.send(payload(2)).dropped == {"rejected": 2}
        assert books.send(payload(2)).delivered == 2
        assert [request.encoding for request in receiver.requests] == ["zstd", "gzip", "none", "zstd"]
    assert "rejects the data" in said.lines[0]


def test_the_better_codec_is_tried_again_after_a_while() -> None:
    reads = {"gzip", "none"}
    asked: list[str] = []

    class Endpoint:
        def post(self, signal: str, body: bytes, encoding: str, deadline: float) -> Reply:
            asked.append(encoding)
            return Reply(ACCEPTED if encoding in reads else UNREADABLE)

        def close(self) -> None:
            pass

    patient = Compressing(lambda: codecs("zstd"), Endpoint())
    hasty = Compressing(lambda: codecs("zstd"), Endpoint(), reprobe_after_s=0.0)
    for _ in range(3):
        patient.post("traces", b"x", 0.0)
    assert asked == ["zstd", "gzip", "gzip", "gzip"]
    asked.clear()
    hasty.post("traces", b"x", 0.0)
    reads.add("zstd")
    hasty.post("traces", b"x", 0.0)
    hasty.post("traces", b"x", 0.0)
    assert asked == ["zstd", "gzip", "zstd", "zstd"]


def test_without_the_zstandard_package_gzip_is_used_and_one_line_says_so(
    deliver: Any, payload: Any, said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    with Receiver() as receiver:
        books = deliver(receiver.traces_url, compression="zstd")
        books.send(payload())
        books.send(payload())
        assert [request.encoding for request in receiver.requests] == ["gzip", "gzip"]
    assert "pip install zstandard" in said.only


def test_the_interpreters_own_zstd_serves_where_the_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Standard:  # what Python 3.14 has as compression.zstd, without which this could be tested nowhere else
        @staticmethod
        def compress(body: bytes, level: int) -> bytes:
            return zstandard.ZstdCompressor(level=level).compress(body)

    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setitem(sys.modules, "compression", type(sys)("compression"))
    monkeypatch.setitem(sys.modules, "compression.zstd", Standard)
    found = codecs("zstd")
    assert [codec.name for codec in found] == ["zstd", "gzip", "none"]
    monkeypatch.undo()
    assert decompress(found[0].compress(b"abc"), "zstd") == b"abc"
