"""Attributes, resources and scopes from protobuf: what the decoders of all signals have in common."""

from __future__ import annotations

from remora.otlp.wire import DEEPEST, SIZED, DecodeError, boolean, double, expect, fields, octets, signed64, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from remora.otlp.wire import Field

# AnyValue's cases that hold no message.
_SCALARS = {1: text, 2: boolean, 3: signed64, 4: double, 7: octets}


def read_attribute(data: bytes, field: Field, into: dict[str, Any], depth: int = 0) -> None:
    """Adds the KeyValue in the field to ``into``; of equal keys the last one counts."""
    end = expect(field, SIZED)
    key = ""
    value: Any = None
    for inner in fields(data, field[2], end):
        if inner[0] == 1:
            key = text(data, inner)
        elif inner[0] == 2:
            value = read_value(data, inner, depth, value)
    into[key] = value


def read_value(data: bytes, field: Field, depth: int = 0, value: Any = None) -> Any:
    """The AnyValue in the field: str, bool, int, float, bytes, tuple, dict or None.

    ``value`` is what an earlier occurrence of the same field said: protobuf merges the two.
    """
    end = expect(field, SIZED)
    if depth >= DEEPEST:
        raise DecodeError("values nested too deeply", field[2])
    for inner in fields(data, field[2], end):
        read = _SCALARS.get(inner[0])
        if read is not None:
            value = read(data, inner)
        elif inner[0] == 5:
            value = (*(value if isinstance(value, tuple) else ()), *_items(data, inner, depth + 1))
        elif inner[0] == 6:
            value = value if isinstance(value, dict) else {}
            for entry in fields(data, inner[2], expect(inner, SIZED)):
                if entry[0] == 1:
                    read_attribute(data, entry, value, depth + 1)
    return value


def _items(data: bytes, field: Field, depth: int) -> list[Any]:
    return [read_value(data, entry, depth) for entry in fields(data, field[2], expect(field, SIZED)) if entry[0] == 1]
