"""Reads what proxies say of a request (Forwarded, X-Forwarded-*), well formed or not: anybody may send them."""

from __future__ import annotations

from remora.conventions.url_cy import host_and_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_MAX_HEADER_CHARS = 2048
_MAX_ELEMENTS = 16
_MAX_ADDRESS_CHARS = 255
_ADDRESS_CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_%[]"


class Forwarded:
    """The Forwarded header (RFC 7239): of each parameter the leftmost usable, set by the proxy next to the client."""

    __slots__ = ("client", "host", "scheme")

    def __init__(self, value: str) -> None:
        self.client: str | None = None
        self.host: str | None = None
        self.scheme: str | None = None
        for name, text in _parameters(value[:_MAX_HEADER_CHARS]):
            if name == "for":
                self.client = self.client or node(text)
            elif name == "host":
                self.host = self.host or authority(text)
            elif name == "proto":
                self.scheme = self.scheme or scheme(text)


def node(text: str) -> str | None:
    """The address of a Forwarded ``for`` or an X-Forwarded-For item; None if it is unknown, hidden or no address."""
    text = text.strip().strip('"')
    if not text or not _is_plain(text) or text[0] == "_":
        return None
    if text[0] in "uU" and text.lower().startswith("unknown"):
        return None
    return host_and_port(text)[0]


def forwarded_for(value: str) -> str | None:
    """The leftmost usable address of an X-Forwarded-For header: the client as the first proxy saw it."""
    for item in value[:_MAX_HEADER_CHARS].split(",", _MAX_ELEMENTS)[:_MAX_ELEMENTS]:
        address = node(item)
        if address is not None:
            return address
    return None


def authority(text: str) -> str | None:
    """The first item of a Host-like header if it can be one."""
    first = text[:_MAX_HEADER_CHARS].partition(",")[0].strip().strip('"')
    first = first.rpartition("@")[2]
    return first if first and _is_plain(first) else None


def scheme(text: str) -> str | None:
    """The first item of X-Forwarded-Proto, in lower case."""
    first = text[:_MAX_HEADER_CHARS].partition(",")[0].strip().strip('"').lower()
    return first if first.isascii() and first.isalnum() and len(first) <= 16 else None


def port(text: str) -> int | None:
    """The first item of X-Forwarded-Port."""
    first = text[:_MAX_HEADER_CHARS].partition(",")[0].strip()
    return int(first) if first.isascii() and first.isdigit() and len(first) <= 5 else None


def of_multidict(values: Any) -> Callable[[str], object]:
    """Reads request headers from a multidict or a message, whose ``get`` tells only the first of several."""
    if hasattr(values, "getall"):
        lower = {name.lower(): value for name, value in values.items()}
        if len(lower) == len(values):  # none came twice: the usual case, which is read without a function of ours
            return lower.get
    found = getattr(values, "getall", None) or getattr(values, "get_all", None)
    if found is None:
        return values.get  # type: ignore[no-any-return]

    def header(name: str) -> object:
        lines = found(name, None)
        if lines is None:
            return None
        return lines[0] if len(lines) == 1 else ", ".join(lines)

    return header


def joined(pairs: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Headers by their names; those sent more than once joined by commas (RFC 9110, 5.2)."""
    values: dict[bytes, bytes] = {}
    for name, value in pairs:
        values[name] = values[name] + b", " + value if name in values else value
    return values


def _is_plain(text: str) -> bool:
    return len(text) <= _MAX_ADDRESS_CHARS and not text.strip(_ADDRESS_CHARS)  # nothing is left: no other character


def _parameters(value: str) -> Iterator[tuple[str, str]]:
    for index, element in enumerate(_split(value, ",")):
        if index >= _MAX_ELEMENTS:
            return
        for pair in _split(element, ";"):
            name, equals, text = pair.partition("=")
            if equals:
                yield name.strip().lower(), _unquoted(text.strip())


def _split(value: str, separator: str) -> list[str]:
    """Splits at separators that are not within quotes; an open quote takes the rest."""
    if '"' not in value:
        return value.split(separator)
    items: list[str] = []
    begin = 0
    quoted = escaped = False
    for index, char in enumerate(value):
        if escaped:
            escaped = False
        elif char == "\\" and quoted:
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char == separator and not quoted:
            items.append(value[begin:index])
            begin = index + 1
    items.append(value[begin:])
    return items


def _unquoted(text: str) -> str:
    if text[:1] != '"':
        return text
    return text[1:].removesuffix('"').replace("\\", "")
