"""An endpoint URL taken apart once, and the form in which it may be shown."""

from __future__ import annotations

from remora.settings.endpoints import without_secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_PORTS: Final = {"http": 80, "https": 443}


class Address:
    """Scheme, host, port and path of an endpoint; `authorization` comes from a user and password in the URL."""

    __slots__ = ("authorization", "host", "path", "port", "scheme", "shown")

    def __init__(self, scheme: str, host: str, port: int, path: str, authorization: str, shown: str) -> None:
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
        self.authorization = authorization
        self.shown = shown

    @property
    def netloc(self) -> str:
        """host:port as the Host header has it: without the scheme's own port, with brackets around IPv6."""
        return bracketed(self.host) if self.port == _PORTS[self.scheme] else self.origin

    @property
    def origin(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def parse(url: str) -> Address:
    """ValueError, with the URL fit to be shown, when it is no http(s) URL with a host."""
    from urllib.parse import quote, unquote, urlsplit  # costs a boot 5 ms; only the worker needs it

    shown = without_secrets(url)
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{shown} is no URL: {error}") from None
    if scheme not in _PORTS or not host:
        raise ValueError(f"{shown} is no http:// or https:// URL with a host")
    authorization = ""
    if parts.username is not None:
        authorization = basic(unquote(parts.username), unquote(parts.password or ""))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    path = quote(path, safe="!#$%&'()*+,/:;=?@[]~")  # as it is, but no blanks and nothing beyond ASCII
    return Address(scheme, host, port or _PORTS[scheme], path, authorization, shown)


def basic(user: str, password: str) -> str:
    """The value of an Authorization header."""
    from binascii import b2a_base64

    return "Basic " + b2a_base64(f"{user}:{password}".encode(), newline=False).decode()
