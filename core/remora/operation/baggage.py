"""W3C Baggage to and from the ``baggage`` header."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_CHARS = 8192
_MAX_MEMBERS = 180


def render(baggage: dict[str, Any]) -> str:
    """The header value; values are percent-encoded, members over the limits of the recommendation left out."""
    from urllib.parse import quote

    members: list[str] = []
    size = 0
    for key, value in baggage.items():
        member = f"{key}={quote(str(value), safe=chr(33) + '#$&()*+-./:<>?@[]^_`{|}~')}"
        size += len(member) + 1
        if len(members) == _MAX_MEMBERS or size > _MAX_CHARS + 1:
            break
        members.append(member)
    return ",".join(members)


def parse(header: str | None) -> dict[str, Any] | None:
    """The members of a header; malformed ones are left out, None when there are none."""
    if not header or len(header) > _MAX_CHARS:
        return None
    from urllib.parse import unquote

    members: dict[str, Any] = {}
    for part in header.split(",")[:_MAX_MEMBERS]:
        pair = part.partition(";")[0]
        key, equals, value = pair.partition("=")
        key = key.strip()
        if equals and key and not any(char in key for char in ' \t"(),/:;<=>?@[\\]{}'):
            members[key] = unquote(value.strip())
    return members or None
