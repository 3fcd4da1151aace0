"""Libraries hand over bytes, enums and str subclasses; an attribute value must be an exact str or int.

Compiled when it can be; the same source either way.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from remora import _cython as cython  # type: ignore[no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COMPILED = cython.compiled

_MAX_DIGITS = 18


def exact_text(value: Any) -> str | None:
    """The value as an exact str; bytes are read as UTF-8; None when there is none or it cannot be told."""
    if type(value) is str:
        return value
    if value is None:
        return None
    try:
        if isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value).decode("utf-8", "replace")
        if not isinstance(value, str):
            value = str(value)
        return str.__str__(value)  # not str(value): an enum member would name itself instead of its value
    except Exception:
        return None


def exact_int(value: Any) -> int | None:
    """The value as an exact int, from ints, int enums and decimal digits; None for anything else."""
    if type(value) is int:
        return value
    if value is None:
        return None
    try:
        if isinstance(value, int):
            return int.__int__(value)
        text = exact_text(value)
        if text is not None and text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS:
            return int(text)
    except Exception:
        return None
    return None
