"""What came back from one attempt, in terms that do not depend on the protocol."""

from __future__ import annotations

from remora.export.sender import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object

ACCEPTED = "accepted"
RETRYABLE = "retryable"  # the same bytes may well be taken later
TOO_LARGE = "too large"
UNREADABLE = "unreadable"  # the endpoint could not read the request; perhaps it lacks the codec
REJECTED = "rejected"  # it read the request and does not want it
MISDIRECTED = "misdirected"  # no fault of the payload: wrong place, wrong protocol, no permission

_RETRYABLE_STATUSES = frozenset((429, 502, 503, 504))
_REJECTING_STATUSES = frozenset((422, 431))
_PERMISSION_STATUSES = frozenset((401, 403, 407))


class Reply:
    """One verdict with the evidence: HTTP status (gRPC codes are mapped) or the exception, and the answer's body.

    `content_type` of the body is told only where it is the trouble.
    """

    __slots__ = ("body", "content_type", "error", "opening", "retry_after_s", "status", "verdict")

    def __init__(
        self,
        verdict: str,
        *,
        status: int = 0,
        body: bytes = b"",
        retry_after_s: float | None = None,
        error: Exception | None = None,
        opening: bytes = b"",
        content_type: str = "",
    ) -> None:
        self.verdict = verdict
        self.status = status
        self.body = body
        self.retry_after_s = retry_after_s
        self.error = error
        self.content_type = content_type
        self.opening = opening  # first bytes that the peer said, which betray its protocol

    @property
    def reason(self) -> str:
        """The reason under which items are dropped when this is the last word and nothing could store them."""
        if self.verdict == TOO_LARGE:
            return Outcome.TOO_LARGE
        if self.verdict in (UNREADABLE, REJECTED):
            return Outcome.REJECTED
        if self.status in _PERMISSION_STATUSES:
            return Outcome.UNAUTHORIZED
        if self.verdict == MISDIRECTED:
            return Outcome.MISDIRECTED
        if self.status:
            return Outcome.UNAVAILABLE
        return Outcome.TIMEOUT if isinstance(self.error, TimeoutError) else Outcome.UNREACHABLE

    def __repr__(self) -> str:
        return f"Reply({self.verdict}, status={self.status}, error={self.error!r})"


def verdict_of_status(status: int) -> str:
    """OTLP/HTTP: 2xx is success, 429 and 502-504 may be repeated, everything else may not."""
    if 200 <= status < 300:
        return ACCEPTED
    if status in _RETRYABLE_STATUSES:
        return RETRYABLE
    if status == 413:
        return TOO_LARGE
    if status in (400, 415):
        return UNREADABLE
    return REJECTED if status in _REJECTING_STATUSES else MISDIRECTED


class Transport(Protocol):
    """The last step: one request over the wire."""

    def post(self, signal: str, /, body: bytes, encoding: str, deadline: float) -> Reply:
        """`body` is compressed as `encoding` says ("none" is not at all); never raises."""

    def close(self) -> None:
        """Let the connection go."""


class Step(Protocol):
    """A step before the last."""

    def post(self, signal: str, body: bytes, deadline: float) -> Reply: ...
