"""Libraries tell the HTTP version as 11, "HTTP/1.1", "h2", (1, 1); the convention wants "1.1", "2", "3"."""

from __future__ import annotations

from remora.conventions.values_cy import exact_text

_MAX_CHARS = 16

VERSIONS: dict[object, str] = {
    "HTTP/1.1": "1.1",
    "1.1": "1.1",
    11: "1.1",
    (1, 1): "1.1",
    "HTTP/1.0": "1.0",
    "1.0": "1.0",
    "1": "1.0",
    10: "1.0",
    (1, 0): "1.0",
    9: "0.9",
    "HTTP/2": "2",
    "HTTP/2.0": "2",
    "2": "2",
    "2.0": "2",
    20: "2",
    (2, 0): "2",
    "h2": "2",
    "h2c": "2",
    "HTTP/3": "3",
    "3": "3",
    30: "3",
    "h3": "3",
}


def version(value: object) -> str | None:
    """The protocol version as the convention writes it; None when unknown."""
    try:
        known = VERSIONS.get(value)
    except TypeError:
        known = None
    if known is not None:
        return known
    text = exact_text(value)
    if not text:
        return None
    text = text.upper().removeprefix("HTTP/")[:_MAX_CHARS]
    return VERSIONS.get(text, text if text[:1].isdigit() else None)
