"""Content-Encoding: the best codec that both this process and the endpoint have, found by trying and remembered.

A Collector answers 400 to a codec that it lacks and other servers 415, so such an answer to a compressed request
says nothing yet about the data: the same batch goes again with the next codec.
"""

from __future__ import annotations

from time import monotonic

from remora import diagnostics
from remora.export.reply import ACCEPTED, REJECTED, UNREADABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from remora.export.reply import Reply, Transport

# Measured on traces of web services: level 1 takes 0.26 us and 41.5 bytes per span in batches of 512, level 3
# 0.35 us and 40.8 bytes (0.18 us/30.9 and 0.26 us/27.3 in batches of 8192). The program pays the time, so level 1.
ZSTD_LEVEL = 1
GZIP_LEVEL = 4  # 1.8 us and 51.9 bytes per span there; level 6 takes 2.7 us for 50.3
REPROBE_AFTER_S = 3600.0

_LADDERS = {
    "zstd": ("zstd", "gzip", "none"),
    "gzip": ("gzip", "none"),
    "deflate": ("deflate", "none"),
    "none": ("none",),
}


class Codec:
    """A Content-Encoding and what makes it."""

    __slots__ = ("compress", "name")

    def __init__(self, name: str, compress: Callable[[bytes], bytes]) -> None:
        self.name = name
        self.compress = compress


def as_it_is(body: bytes) -> bytes:
    return body


def codecs(wanted: str) -> list[Codec]:
    """The codecs to try in turn for OTEL_EXPORTER_OTLP_COMPRESSION=`wanted`."""
    found = []
    for name in _LADDERS.get(wanted, _LADDERS["gzip"]):
        compress = _MAKERS[name]()
        if compress is not None:
            found.append(Codec(name, compress))
    if wanted == "zstd" and found[0].name != "zstd":
        diagnostics.say(
            "compression.zstd",
            "zstd compression needs the package zstandard (pip install zstandard); using gzip",
            level="info",
        )
    return found


class Compressing:
    """Compresses for the next step and takes the next codec when the endpoint cannot read the first."""

    def __init__(
        self,
        codecs: Callable[[], list[Codec]],
        transport: Transport,
        *,
        reprobe_after_s: float = REPROBE_AFTER_S,
    ) -> None:
        self._find_codecs = codecs
        self._codecs: list[Codec] = []
        self._transport = transport
        self._reprobe_after_s = reprobe_after_s
        self._known = 0  # index of the codec that the endpoint is known to read
        self._reprobe_at = 0.0

    @property
    def codec(self) -> str:
        """The Content-Encoding that the next request will have."""
        return self._codecs[self._known].name if self._codecs else ""

    def post(self, signal: str, body: bytes, deadline: float) -> Reply:
        if not self._codecs:
            self._codecs = self._find_codecs()  # here, not earlier: the codec's module is loaded by the worker
        if self._known and monotonic() >= self._reprobe_at:
            self._known = 0
        index = self._known
        while True:
            codec = self._codecs[index]
            reply = self._transport.post(signal, codec.compress(body), codec.name, deadline)
            if reply.verdict == ACCEPTED and index > self._known:
                self._settle(index)
            if reply.verdict != UNREADABLE:
                return reply
            index += 1
            if index == len(self._codecs):
                reply.verdict = REJECTED  # it cannot read even the plain bytes
                return reply

    def _settle(self, index: int) -> None:
        refused, taken = self._codecs[self._known].name, self._codecs[index].name
        diagnostics.decided("compression", taken, f"the endpoint does not read {refused}")
        self._known = index
        self._reprobe_at = monotonic() + self._reprobe_after_s


def _zstd() -> Callable[[bytes], bytes] | None:
    # Loaded on first use: neither package belongs into the start of the host program.
    try:
        import zstandard
    except Exception:  # a broken binary wheel raises more than ImportError
        return _zstd_of_the_interpreter()
    make: Any = zstandard.ZstdCompressor

    def compress(body: bytes) -> bytes:
        # A compressor must not be shared between threads and making one costs 0.02 us per span.
        return make(level=ZSTD_LEVEL, write_content_size=True).compress(body)  # type: ignore[no-any-return]

    return compress


def _zstd_of_the_interpreter() -> Callable[[bytes], bytes] | None:
    try:
        zstd: Any = __import__("compression.zstd", fromlist=["compress"])  # Python 3.14
    except ImportError:
        return None
    return lambda body: zstd.compress(body, level=ZSTD_LEVEL)


def _gzip() -> Callable[[bytes], bytes] | None:
    try:
        import zlib
    except ImportError:
        return None

    def compress(body: bytes) -> bytes:
        stream = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 31)  # 31: a gzip header without name and time
        return stream.compress(body) + stream.flush()

    return compress


def _deflate() -> Callable[[bytes], bytes] | None:
    try:
        import zlib
    except ImportError:
        return None
    return lambda body: zlib.compress(body, GZIP_LEVEL)


_MAKERS: dict[str, Callable[[], Callable[[bytes], bytes] | None]] = {
    "zstd": _zstd,
    "gzip": _gzip,
    "deflate": _deflate,
    "none": lambda: as_it_is,
}
