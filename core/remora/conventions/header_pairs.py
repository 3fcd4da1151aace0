"""All headers of a message, in whatever shape a library has them: pairs, dicts, multi-dicts, str or bytes."""

from __future__ import annotations

from remora.conventions.values_cy import exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_MAX_HEADERS = 512


def pairs(headers: Any) -> Iterator[tuple[str, str]]:
    """Each header as (lower-case name, value), one that came several times as often."""
    if headers is None:
        return
    items = getattr(headers, "multi_items", None) or getattr(headers, "items", None)
    for index, (name, value) in enumerate(items() if items is not None else headers):
        if index >= _MAX_HEADERS:
            return
        text, shown = exact_text(name), exact_text(value)
        if text and shown is not None:
            yield text.lower(), shown


def of_request(call: Any) -> Any:
    """The headers of a request that is served, for ``pairs``; None where the record cannot list them."""
    listed = call.request_headers()
    if listed is not None:
        return listed
    owner = getattr(call.reader, "__self__", None)  # ``headers.get`` of the library's own mapping
    return owner if hasattr(owner, "items") else None


def length(headers: Any) -> int | None:
    """What Content-Length says; None where it is missing or no number."""
    for name, value in pairs(headers):
        if name == "content-length":
            return int(value) if value.isascii() and value.isdigit() and len(value) <= 18 else None
    return None
