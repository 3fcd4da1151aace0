"""Compression of stored frames: zstd when there is one, else zlib; never more bytes out than the frame announced."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

AS_IT_IS: Final = 0
ZLIB: Final = 1
ZSTD: Final = 2
_LEVEL: Final = 3


class UndecodableError(ValueError):
    """The data of a sound frame cannot be turned back; the message says why."""


def compress(body: bytes) -> tuple[int, bytes]:
    """Codec id and data."""
    zstandard = _zstandard()  # loaded on first use: no part of the host program's start
    if zstandard is not None:
        return ZSTD, zstandard.ZstdCompressor(level=_LEVEL).compress(body)
    zstd = _zstd_of_the_interpreter()
    if zstd is not None:
        return ZSTD, zstd.compress(body, level=_LEVEL)
    try:
        import zlib
    except ImportError:
        return AS_IT_IS, body
    return ZLIB, zlib.compress(body, _LEVEL)


def decompress(codec: int, data: bytes, body_bytes: int) -> bytes:
    """Exactly `body_bytes` of body, or UndecodableError; no more than that is ever made."""
    body = _decompress(codec, data, body_bytes + 1)
    if len(body) != body_bytes:
        more = "more" if len(body) > body_bytes else "less"
        raise UndecodableError(f"its data holds {more} than the {body_bytes} bytes that it announces")
    return body


def _decompress(codec: int, data: bytes, limit_bytes: int) -> bytes:
    if codec == AS_IT_IS:
        return data
    if codec == ZLIB:
        import zlib

        try:
            return zlib.decompressobj().decompress(data, limit_bytes)
        except zlib.error as error:
            raise UndecodableError(f"its data is no zlib stream: {error}") from error
    if codec == ZSTD:
        return _from_zstd(data, limit_bytes)
    raise UndecodableError(f"its codec {codec} is unknown; a newer Remora wrote it")


def _from_zstd(data: bytes, limit_bytes: int) -> bytes:
    zstandard = _zstandard()
    if zstandard is not None:
        try:
            # The stream reader stops at the limit; ZstdDecompressor.decompress believes the frame's own size.
            with zstandard.ZstdDecompressor().stream_reader(data) as stream:
                return bytes(stream.read(limit_bytes))
        except zstandard.ZstdError as error:
            raise UndecodableError(f"its data is no zstd frame: {error}") from error
    zstd = _zstd_of_the_interpreter()
    if zstd is None:
        raise UndecodableError("it is compressed with zstd: pip install zstandard to read it")
    try:
        return bytes(zstd.ZstdDecompressor().decompress(data, max_length=limit_bytes))
    except zstd.ZstdError as error:
        raise UndecodableError(f"its data is no zstd frame: {error}") from error


def _zstandard() -> Any:
    try:
        import zstandard
    except Exception:  # a broken binary wheel raises more than ImportError
        return None
    return zstandard


def _zstd_of_the_interpreter() -> Any:
    try:
        return __import__("compression.zstd", fromlist=["compress"])  # Python 3.14
    except ImportError:
        return None
