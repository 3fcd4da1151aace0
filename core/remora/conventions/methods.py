"""Which HTTP methods are known: any other is reported as _OTHER, so that a client cannot make up span names."""

from __future__ import annotations

from remora.conventions.keys import HTTP_REQUEST_METHOD, HTTP_REQUEST_METHOD_ORIGINAL
from remora.conventions.values_cy import exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

OTHER = "_OTHER"
UNKNOWN_NAME = "HTTP"

_DEFAULT = ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE")
_MAX_ORIGINAL_CHARS = 64

# A dict, not a set: looking up an enum member or a str subclass answers with the exact str.
KNOWN: dict[str, str] = {method: method for method in _DEFAULT}


def configure(known: Iterable[str]) -> None:
    """Replaces the known methods (OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS, case-sensitive); empty: the defaults."""
    names = [name.strip() for name in known if name.strip()]
    KNOWN.clear()
    KNOWN.update((name, name) for name in names or _DEFAULT)


def put(attributes: dict[str, Any], method: object) -> None:
    """Sets the method's attributes where it is not a known method spelled as an exact str."""
    text = exact_text(method)
    if text is None:
        attributes[HTTP_REQUEST_METHOD] = OTHER
        return
    known = KNOWN.get(text)
    attributes[HTTP_REQUEST_METHOD] = known or OTHER
    if known is None:
        attributes[HTTP_REQUEST_METHOD_ORIGINAL] = text[:_MAX_ORIGINAL_CHARS]


def name(method: object) -> str:
    """What a span name calls the method."""
    return KNOWN.get(exact_text(method) or "", UNKNOWN_NAME)
