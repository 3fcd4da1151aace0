"""The bytes of an OTLP/HTTP request."""

from __future__ import annotations

from remora import diagnostics

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from remora.export.address import Address

_OURS: Final = frozenset(
    ("connection", "content-encoding", "content-length", "content-type", "keep-alive", "te", "transfer-encoding")
)


class RequestWriter:
    """Writes requests to one endpoint with the user's headers, which are checked once."""

    def __init__(self, headers: Mapping[str, str], authorization: str, user_agent: str) -> None:
        fields = {"user-agent": ("User-Agent", user_agent), "accept-encoding": ("Accept-Encoding", "identity")}
        if authorization:
            fields["authorization"] = ("Authorization", authorization)
        for name, value in headers.items():
            if _sendable(name, value):
                fields[name.lower()] = (name, value)
        self._host = fields.pop("host", ("", ""))[1]
        self._fields = b"".join(field(name, value) for name, value in fields.values())

    def write(self, to: Address, proxy: Address | None, body: bytes, encoding: str) -> bytes:
        """The whole request; through a proxy for http the target is the whole URL."""
        target = to.path
        head = [self._fields, field("Host", self._host or to.netloc), b"Content-Type: application/x-protobuf\r\n"]
        if proxy is not None and to.scheme == "http":
            target = f"http://{to.origin}{to.path}"
            if proxy.authorization:
                head.append(field("Proxy-Authorization", proxy.authorization))
        if encoding != "none":
            head.append(field("Content-Encoding", encoding))
        head.append(field("Content-Length", str(len(body))))
        return b"".join((f"POST {target} HTTP/1.1\r\n".encode(), *head, b"\r\n", body))


def field(name: str, value: str) -> bytes:
    """One header line; HTTP's own character set where it suffices."""
    line = f"{name}: {value}\r\n"
    try:
        return line.encode("latin-1")
    except UnicodeEncodeError:
        return line.encode("utf-8", "replace")


def _sendable(name: str, value: str) -> bool:
    if name.lower() in _OURS:
        diagnostics.decided(f"header {name}", "not sent", "it describes our own encoding of the request")
        return False
    token = name.isascii() and all(mark.isalnum() or mark in "!#$%&'*+-.^_`|~" for mark in name)
    if not name or not token or any(mark in value for mark in "\r\n\0"):
        diagnostics.say(
            f"export.header.{name.lower()}",
            f"the header {name!r} in OTEL_EXPORTER_OTLP_HEADERS cannot be sent over HTTP; left out",
        )
        return False
    return True
