"""Attributes to protobuf in plain Python, for every signal: what one process sends repeats, so it is remembered."""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# Protobuf decoders give up at 100 nested messages, and a dict takes three per level on top of at most seven around it.
DEEPEST = 30
TOO_DEEP = b"\x0a\x13(nested too deeply)"
# Python refuses to print ints of more than 640 (or more, as configured) decimal digits; this many characters of
# hexadecimal stay below.
LONGEST_DECIMAL = 500

# What is remembered: short pairs of strings, ints and bools; the first values of each key, for then it is taken for a
# varying one; and everything is forgotten when it gets too much, at some 2 MiB.
_MOST_ENTRIES = 8192
_MOST_VALUES = 256
_LONGEST_PAIR = 192

_ONE_BYTE = [bytes([number]) for number in range(128)]
_double = struct.Struct("<Bd").pack


class _Memory:
    """Encoded pairs by type, key and value. By type, because ``1 == True == 1.0`` and ``0.0 == -0.0``."""

    __slots__ = ("entries", "heads", "numbers", "texts", "truths")

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.entries = 0
        self.heads: dict[str, bytes] = {}
        self.texts: dict[str, dict[Any, bytes]] = {}
        self.numbers: dict[str, dict[Any, bytes]] = {}
        self.truths: dict[str, dict[Any, bytes]] = {}


_memory = _Memory()


def varint(number: int) -> bytes:
    """A varint; negative numbers as 64-bit two's complement."""
    if 0 <= number < 128:
        return _ONE_BYTE[number]
    if 0 < number < 16384:
        return bytes((number & 127 | 128, number >> 7))
    number &= 0xFFFF_FFFF_FFFF_FFFF
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def sized(tag: bytes, content: bytes) -> bytes:
    """A field of bytes, text or a message, there even when empty."""
    return tag + varint(len(content)) + content


def text(tag: bytes, value: str) -> bytes:
    """A string field, left out when empty. Lone surrogates become "?"."""
    content = value.encode("utf-8", "replace")
    return sized(tag, content) if content else b""


def number(tag: bytes, value: int) -> bytes:
    """A varint field, left out when zero."""
    return tag + varint(value) if value else b""


def any_value(value: Any, depth: int = 0) -> bytes:
    """An AnyValue without its length. TypeError for types that have none."""
    if isinstance(value, str):
        return sized(b"\x0a", value.encode("utf-8", "replace"))
    if value is True:
        return b"\x10\x01"
    if value is False:
        return b"\x10\x00"
    if isinstance(value, int):
        if -0x8000_0000_0000_0000 <= value <= 0x7FFF_FFFF_FFFF_FFFF:
            return b"\x18" + varint(value)
        digits = hex(value)
        if len(digits) <= LONGEST_DECIMAL:
            digits = int.__repr__(value)
        return sized(b"\x0a", digits.encode())
    if isinstance(value, float):
        return _double(0x21, value)
    if value is None:
        return b""
    if isinstance(value, bytes):
        return sized(b"\x3a", value)
    if not isinstance(value, (tuple, list, dict)):
        raise TypeError(f"no OTLP value: {type(value).__name__}")
    if depth >= DEEPEST:
        return TOO_DEEP
    depth += 1
    if isinstance(value, dict):
        return sized(b"\x32", b"".join([b"\x0a" + key_value(key, item, depth) for key, item in value.items()]))
    return sized(b"\x2a", b"".join([sized(b"\x0a", any_value(item, depth)) for item in value]))


def key_value(key: str, value: Any, depth: int = 0) -> bytes:
    """A KeyValue with its length, without a tag: the same bytes serve spans, events, points and records."""
    head = _memory.heads.get(key)
    if head is None:
        head = _remembered_head(key)
    kind = value.__class__
    if kind is str:
        content = sized(b"\x0a", value.encode("utf-8", "replace"))
    elif kind is float:
        content = _double(0x21, value)
    else:
        content = any_value(value, depth)
    pair = head + varint(len(content)) + content
    return varint(len(pair)) + pair


def attributes(tag: bytes, values: Mapping[str, Any] | None) -> bytes:
    """Each item of the mapping as a KeyValue field ``tag``."""
    if not values:
        return b""
    memory = _memory
    encoded = []
    for key, value in values.items():
        kind = value.__class__
        if kind is str:
            known = memory.texts.get(key)
        elif kind is int:
            known = memory.numbers.get(key)
        elif kind is bool:
            known = memory.truths.get(key)
        else:
            encoded.append(key_value(key, value))
            continue
        pair = known.get(value) if known is not None else None
        encoded.append(pair if pair is not None else _remembered(key, value, kind, known))
    return tag + tag.join(encoded)


def _remembered_head(key: str) -> bytes:
    head = text(b"\x0a", key) + b"\x12"
    if len(head) <= _LONGEST_PAIR:
        _memory.heads[key] = head
        _count_entry()
    return head


def _remembered(key: str, value: Any, kind: type, known: dict[Any, bytes] | None) -> bytes:
    pair = key_value(key, value)
    if len(pair) > _LONGEST_PAIR:
        return pair
    if known is None:
        family = _memory.texts if kind is str else _memory.numbers if kind is int else _memory.truths
        known = family.setdefault(key, {})
        _count_entry()
    if len(known) < _MOST_VALUES:
        known[value] = pair
        _count_entry()
    return pair


def _count_entry() -> None:
    _memory.entries += 1
    if _memory.entries > _MOST_ENTRIES:
        _memory.forget()
