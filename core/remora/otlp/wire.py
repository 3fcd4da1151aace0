"""Reading the protobuf wire format: strict, without recursion, shared by the decoders of every signal."""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

VARINT, FIXED64, SIZED, GROUP, GROUP_END, FIXED32 = range(6)
DEEPEST = 32

_fixed64 = struct.Struct("<Q").unpack_from
_fixed32 = struct.Struct("<I").unpack_from
_double = struct.Struct("<d").unpack_from

# Number, wire type, offset of the payload, value, offset after the field.
Field = tuple[int, int, int, int, int]


class DecodeError(ValueError):
    """The bytes are not what they should be; ``offset`` is where that shows."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"{reason} at byte {offset}")
        self.reason = reason
        self.offset = offset

    def __reduce__(self) -> tuple[type[DecodeError], tuple[str, int]]:
        return DecodeError, (self.reason, self.offset)


def varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The unsigned varint at ``at`` and the offset after it."""
    start = at
    value = shift = 0
    while at < end:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            if value >> 64:
                raise DecodeError("varint of more than 64 bits", start)
            return value, at
        shift += 7
        if shift > 63:
            raise DecodeError("varint of more than ten bytes", start)
    raise DecodeError("truncated varint", start)


def fields(data: bytes, start: int, end: int) -> Iterator[Field]:
    """The fields of the message in ``data[start:end]``.

    The value is the number itself, or for SIZED (and for groups, which OTLP does not have) the offset after the field.
    """
    at = start
    while at < end:
        tag = data[at]
        field_at = at
        if tag < 128:
            at += 1
        else:
            tag, at = varint(data, at, end)
        number = tag >> 3
        wire_type = tag & 7
        if not 0 < number < 1 << 29:
            raise DecodeError(f"field number {number}", field_at)
        if wire_type == SIZED:
            size, at = varint(data, at, end)
            after = at + size
            if after > end:
                raise DecodeError(f"field {number} of {size} bytes does not fit into its message", field_at)
            yield number, SIZED, at, after, after
        elif wire_type == VARINT:
            payload = at
            value, after = varint(data, at, end)
            yield number, VARINT, payload, value, after
        elif wire_type == FIXED64:
            after = at + 8
            if after > end:
                raise DecodeError(f"truncated field {number}", field_at)
            yield number, FIXED64, at, _fixed64(data, at)[0], after
        elif wire_type == FIXED32:
            after = at + 4
            if after > end:
                raise DecodeError(f"truncated field {number}", field_at)
            yield number, FIXED32, at, _fixed32(data, at)[0], after
        elif wire_type == GROUP:
            after = _group_end(data, number, at, end)
            yield number, GROUP, at, after, after
        else:
            raise DecodeError(f"wire type {wire_type}", field_at)
        at = after


def _group_end(data: bytes, number: int, at: int, end: int) -> int:
    start = at
    open_groups = [number]
    while at < end:
        field_at = at
        tag, at = varint(data, at, end)
        wire_type = tag & 7
        if not 0 < tag >> 3 < 1 << 29:
            raise DecodeError(f"field number {tag >> 3}", field_at)
        if wire_type == GROUP_END:
            if tag >> 3 != open_groups.pop():
                raise DecodeError("end of another group", field_at)
            if not open_groups:
                return at
        elif wire_type == GROUP:
            if len(open_groups) >= DEEPEST:
                raise DecodeError("groups nested too deeply", field_at)
            open_groups.append(tag >> 3)
        elif wire_type == VARINT:
            _, at = varint(data, at, end)
        elif wire_type == SIZED:
            size, at = varint(data, at, end)
            at += size
        elif wire_type in (FIXED64, FIXED32):
            at += 8 if wire_type == FIXED64 else 4
        else:
            raise DecodeError(f"wire type {wire_type}", field_at)
    raise DecodeError(f"truncated group {number}", start)


# What a field holds, once its number is known, all as read(data, field). Another wire type than the schema's is an
# error, not an unknown field.


def expect(field: Field, wire_type: int) -> int:
    """The value of the field (for SIZED: where it ends)."""
    if field[1] != wire_type:
        raise DecodeError(f"field {field[0]} has wire type {field[1]} instead of {wire_type}", field[2])
    return field[3]


def text(data: bytes, field: Field) -> str:
    """A string field."""
    end = expect(field, SIZED)
    try:
        return data[field[2] : end].decode()
    except UnicodeDecodeError as error:
        raise DecodeError("invalid UTF-8", field[2] + error.start) from None


def octets(data: bytes, field: Field) -> bytes:
    """A bytes field."""
    end = expect(field, SIZED)
    return data[field[2] : end]


def signed64(_: bytes, field: Field) -> int:
    """An int64 field."""
    value = expect(field, VARINT)
    return value - (1 << 64) if value >> 63 else value


def signed32(_: bytes, field: Field) -> int:
    """An enum field, cut to 32 bits as every protobuf decoder does."""
    value = expect(field, VARINT) & 0xFFFF_FFFF
    return value - (1 << 32) if value >> 31 else value


def unsigned32(_: bytes, field: Field) -> int:
    """A uint32 field, cut to 32 bits as every protobuf decoder does."""
    return expect(field, VARINT) & 0xFFFF_FFFF


def boolean(_: bytes, field: Field) -> bool:
    """A bool field."""
    return expect(field, VARINT) != 0


def fixed64(_: bytes, field: Field) -> int:
    """A fixed64 field."""
    return expect(field, FIXED64)


def fixed32(_: bytes, field: Field) -> int:
    """A fixed32 field."""
    return expect(field, FIXED32)


def double(data: bytes, field: Field) -> float:
    """A double field."""
    expect(field, FIXED64)
    value: float = _double(data, field[2])[0]
    return value
