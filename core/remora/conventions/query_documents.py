"""Queries that are documents (JSON) as they may be shown: their shape and the names in it, a ? for every value."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_DEPTH = 24
_MAX_NODES = 512  # a list of ten thousand terms is no news after the first
_MAX_NAME_CHARS = 128
_VALUE = "?"


def shown(document: object) -> str | None:
    """The document's text without its values; None for what is neither a mapping nor a list. Never raises."""
    if not isinstance(document, (dict, list, tuple)):
        return None
    import json  # deferred: who sends such documents has imported it

    try:
        return json.dumps(_without_values(document, 0, [_MAX_NODES]), separators=(",", ":"), ensure_ascii=False)
    except Exception:
        return None


def _without_values(value: Any, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if depth >= _MAX_DEPTH or left[0] < 0:
        return _VALUE
    if isinstance(value, dict):
        return {
            str(name)[:_MAX_NAME_CHARS]: _without_values(within, depth + 1, left)
            for name, within in value.items()
            if left[0] > 0
        }
    if isinstance(value, (list, tuple)):
        structured = [item for item in value if isinstance(item, (dict, list, tuple))]
        # Of plain values how many there are does not matter.
        return [_without_values(item, depth + 1, left) for item in structured if left[0] > 0] or [_VALUE]
    return _VALUE
