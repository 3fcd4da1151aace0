"""How many spans a request carries, found by walking over its lengths: no schema, no objects."""

from __future__ import annotations

import gzip
import struct
import zlib


def decompressed(body: bytes, encoding: str) -> bytes:
    """The body behind a Content-Encoding."""
    if encoding in ("", "none", "identity"):
        return body
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "deflate":
        return zlib.decompress(body)
    if encoding == "zstd":
        return _unzstd(body)
    raise ValueError(f"unknown Content-Encoding: {encoding}")


def _unzstd(body: bytes) -> bytes:
    try:
        import zstandard
    except ImportError:
        zstd = __import__("compression.zstd", fromlist=["decompress"])  # Python 3.14
        return bytes(zstd.decompress(body))
    return bytes(zstandard.ZstdDecompressor().decompressobj().decompress(body))


def otlp_spans(body: bytes) -> int:
    """Spans in an ExportTraceServiceRequest: field 1 (resource spans), in it 2 (scope spans), in it 2 (spans)."""
    count = 0
    for resource in _fields(body, 0, len(body), 1):
        for scope in _fields(body, *resource, 2):
            count += sum(1 for _ in _fields(body, *scope, 2))
    return count


def _fields(body: bytes, at: int, end: int, wanted: int) -> list[tuple[int, int]]:
    """Where the contents of the length-delimited fields with that number begin and end."""
    found = []
    while at < end:
        tag, at = _varint(body, at)
        wire = tag & 7
        if wire == 0:
            _, at = _varint(body, at)
        elif wire == 1:
            at += 8
        elif wire == 5:
            at += 4
        elif wire == 2:
            size, at = _varint(body, at)
            if tag >> 3 == wanted:
                found.append((at, at + size))
            at += size
        else:
            raise ValueError(f"wire type {wire} at {at}")
    if at != end:
        raise ValueError("a field reaches beyond its message")
    return found


def _varint(body: bytes, at: int) -> tuple[int, int]:
    byte = body[at]
    if byte < 0x80:
        return byte, at + 1
    value = shift = 0
    while True:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def datadog_spans(body: bytes, version: str) -> int:
    """Spans in a payload for Datadog's agent: v0.4 is [[span, ...], ...], v0.5 is [strings, [[span, ...], ...]]."""
    at = 0
    if version == "v0.5":
        _, at = _array(body, at)
        at = _after(body, at)
    traces, at = _array(body, at)
    count = 0
    for _ in range(traces):
        spans, at = _array(body, at)
        count += spans
        for _ in range(spans):
            at = _after(body, at)
    return count


def _array(body: bytes, at: int) -> tuple[int, int]:
    byte = body[at]
    if byte & 0xF0 == 0x90:
        return byte & 0x0F, at + 1
    if byte == 0xDC:
        return int.from_bytes(body[at + 1 : at + 3], "big"), at + 3
    if byte == 0xDD:
        return int.from_bytes(body[at + 1 : at + 5], "big"), at + 5
    raise ValueError(f"no array at {at}: {byte:#x}")


# Of msgpack's types: how many bytes follow the first (fixed size), or where a length stands and what surrounds it.
_FIXED = {
    0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8,
    0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17,
}  # fmt: skip
_SIZED = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_EXTENSIONS = {0xC7: 1, 0xC8: 2, 0xC9: 4}
_MANY = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}


def _after(body: bytes, at: int) -> int:
    """Where the msgpack object at ``at`` ends."""
    left = 1
    while left:
        left -= 1
        byte = body[at]
        at += 1
        if byte < 0x80 or byte >= 0xE0:
            continue
        if byte < 0x90:
            left += 2 * (byte & 0x0F)
        elif byte < 0xA0:
            left += byte & 0x0F
        elif byte < 0xC0:
            at += byte & 0x1F
        elif byte in _FIXED:
            at += _FIXED[byte]
        elif byte in _SIZED:
            width = _SIZED[byte]
            at += width + int.from_bytes(body[at : at + width], "big")
        elif byte in _EXTENSIONS:
            width = _EXTENSIONS[byte]
            at += width + 1 + int.from_bytes(body[at : at + width], "big")
        elif byte in _MANY:
            width, each = _MANY[byte]
            left += each * int.from_bytes(body[at : at + width], "big")
            at += width
        else:
            raise struct.error(f"no msgpack at {at}: {byte:#x}")
    return at
