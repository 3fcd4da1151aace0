"""Reading what an HTTP server says to one request, however it misbehaves."""

from __future__ import annotations

import sys

from remora.export.http_request import field
from remora.export.reply import ACCEPTED, MISDIRECTED, RETRYABLE, Reply, verdict_of_status
from remora.export.wire import Answering

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from remora.export.address import Address
    from remora.export.wire import Wire

_MAX_ANSWER_BYTES: Final = 64 * 1024
_TLS_MARKS: Final = (b"HTTP request to an HTTPS server", b"HTTP request was sent to HTTPS port")  # Go, nginx


class ClosedError(ConnectionError):
    """The peer closed the connection without a byte of an answer."""


class ProxyError(OSError):
    """The proxy would not open a tunnel; `status` is what it said."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the proxy answered CONNECT with status {status}")
        self.status = status


def talk(wire: Wire, answer: Answering, request: bytes) -> tuple[Reply, str, bool]:
    """Send and read: the reply, the Location, whether the connection may be kept. Raises when there is no answer."""
    from http.client import RemoteDisconnected  # loads email and urllib: only in the worker

    wire.budget.doing = "sending"
    broken: ConnectionError | None = None
    try:
        wire.write(request)
    except ConnectionError as error:
        broken = error  # a server that will not read it all may have said why before it closed
    wire.budget.doing = "waiting for an answer"
    response = _response(answer, "POST")
    try:
        response.begin()
        body, whole = _read(response)
    except RemoteDisconnected as error:
        raise broken or ClosedError("the connection was closed without an answer") from error
    except OSError:
        if broken is not None:
            raise broken from None
        raise
    finally:
        response.close()  # left to the garbage collector, it may complain on the host's stderr
    keep = broken is None and whole and not response.will_close
    status = response.status
    verdict = verdict_of_status(status)
    if status == 400 and any(mark in body for mark in _TLS_MARKS):
        verdict = MISDIRECTED
    foreign = foreign_type(response.headers.get("Content-Type") or "", body) if verdict == ACCEPTED else ""
    if foreign:
        verdict = MISDIRECTED
    pause_s = retry_after_s(response.headers.get("Retry-After"))
    reply = Reply(
        verdict, status=status, body=body, retry_after_s=pause_s, opening=answer.opening, content_type=foreign
    )
    return reply, response.headers.get("Location") or "", keep


def foreign_type(content_type: str, body: bytes) -> str:
    """What the answer is, where no OTLP server gives such a one; "" where it is nothing, protobuf or JSON.

    Pages of web servers, captive portals and logins come with status 200, too. A body of no known type is believed.
    """
    found = content_type.partition(";")[0].strip().lower()
    start = body.lstrip()[:1]
    if not start or "protobuf" in found or "json" in found or start == b"{":
        return ""
    if "html" in found or (not found and start == b"<"):
        return "HTML"
    return found if found.startswith("text/") or "xml" in found else ""


def _read(response: Any) -> tuple[bytes, bool]:
    """The body, or its beginning, and whether that is all; the status is known already, and that decides."""
    try:
        body: bytes = response.read(_MAX_ANSWER_BYTES)
    except Exception:
        return b"", False
    return body, response.isclosed()


def tunnel(wire: Wire, to: Address, proxy: Address, user_agent: str) -> None:
    """Have the proxy connect us through; ProxyError if it does not."""
    head = f"CONNECT {to.origin} HTTP/1.1\r\n".encode() + field("Host", to.origin) + field("User-Agent", user_agent)
    if proxy.authorization:
        head += field("Proxy-Authorization", proxy.authorization)
    wire.budget.doing = "waiting for the proxy"
    wire.write(head + b"\r\n")
    response = _response(Answering(wire), "CONNECT")
    try:
        response.begin()
    finally:
        response.close()
    if response.status != 200:
        raise ProxyError(response.status)


def reply_to_failure(error: Exception, opening: bytes = b"") -> Reply:
    """Network trouble may pass; a peer that talks something else, or whom we do not trust, will go on doing so."""
    if isinstance(error, ProxyError):
        verdict = RETRYABLE if verdict_of_status(error.status) == RETRYABLE else MISDIRECTED
        return Reply(verdict, status=error.status, error=error)
    passing = isinstance(error, OSError) and not getattr(error, "variable", "")
    ssl: Any = sys.modules.get("ssl")  # whoever raised its errors has loaded it
    if ssl is not None and isinstance(error, ssl.SSLError):
        passing = isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
    return Reply(RETRYABLE if passing else MISDIRECTED, error=error, opening=opening)


def retry_after_s(value: str | None) -> float | None:
    """Seconds from now, of a Retry-After header with seconds or an HTTP date; None when absent or unreadable."""
    if not value:
        return None
    value = value.strip()
    if value.isdecimal() and value.isascii():
        return float(value[:9])
    from email.utils import mktime_tz, parsedate_tz  # http.client has loaded it
    from time import time

    try:
        parsed = parsedate_tz(value)
        return max(0.0, mktime_tz(parsed) - time()) if parsed is not None else None
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _response(answer: Answering, method: str) -> Any:
    from http.client import HTTPResponse

    source: Any = answer  # it asks its socket for a file and for nothing else
    return HTTPResponse(source, method=method)
