"""Requests that somebody has signed already are sent as they were signed: no header is added to them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# AWS signature versions 4 and 2, Google's of both kinds, Azure storage.
_SCHEMES = ("AWS4-", "AWS ", "GOOG4-", "GOOG1 ", "SharedKey ", "SharedKeyLite ")
_PARAMETERS = ("X-Amz-Signature=", "X-Goog-Signature=", "&Signature=", "?Signature=", "?sig=", "&sig=")


def signed(url: object, headers: Mapping[str, str] | Mapping[str, bytes]) -> bool:
    """Whether the headers or the query bear a cloud's signature; ``url`` is only looked at if it is a str."""
    if "Authorization" in headers:
        if _by_cloud(headers["Authorization"]):
            return True
    # What is no dict knows its headers in any spelling.
    elif isinstance(headers, dict) and "authorization" in headers and _by_cloud(headers["authorization"]):
        return True
    if type(url) is not str or ("ignature=" not in url and "sig=" not in url):
        return False
    return any(parameter in url for parameter in _PARAMETERS)


def _by_cloud(value: object) -> bool:
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return isinstance(text, str) and text.startswith(_SCHEMES)
