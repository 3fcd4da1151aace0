"""As much of the protobuf wire format as a collector's short answers need."""

from __future__ import annotations


def fields(data: bytes) -> list[tuple[int, int | bytes]]:
    """Varint and length-delimited fields of a protobuf message; [] when it is none."""
    found: list[tuple[int, int | bytes]] = []
    at = 0
    try:
        while at < len(data):
            key, at = _varint(data, at)
            kind = key & 7
            if kind == 0:
                value, at = _varint(data, at)
                found.append((key >> 3, value))
            elif kind == 2:
                size, at = _varint(data, at)
                if at + size > len(data):
                    return []
                found.append((key >> 3, data[at : at + size]))
                at += size
            elif kind in (1, 5):
                at += 8 if kind == 1 else 4
            else:
                return []
    except IndexError:
        return []
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise IndexError
