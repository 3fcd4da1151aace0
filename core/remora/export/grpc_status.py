"""gRPC status codes in terms of delivery, as the OTLP specification sorts them."""

from __future__ import annotations

from remora.export.deadline import DeadlineError
from remora.export.protobuf import fields
from remora.export.reply import MISDIRECTED, REJECTED, RETRYABLE, TOO_LARGE, UNREADABLE, Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_RETRYABLE: Final = frozenset(("CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"))
_REJECTED: Final = frozenset(("INVALID_ARGUMENT", "FAILED_PRECONDITION"))
_TOO_LARGE_MARKS: Final = ("larger than max", "exceeds maximum", "too large")  # Go and C++, Java, others
_NO_CODEC_MARKS: Final = ("decompressor", "grpc-encoding", "compression")
_HTTP_STATUSES: Final = {"UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403, "RESOURCE_EXHAUSTED": 429}


class GrpcStatusError(Exception):
    """A call ended with a status other than OK; `code` is its name."""

    def __init__(self, code: str, details: str) -> None:
        super().__init__(f"{code}: {details}")
        self.code = code
        self.details = details


class GrpcMissingError(Exception):
    """The package grpcio cannot be imported."""


def reply_to_status(code: str, details: str, retry_info: bytes | None) -> Reply:
    """`retry_info` is the trailing metadata grpc-status-details-bin."""
    error: Exception = GrpcStatusError(code, details)
    pause_s = retry_delay_s(retry_info) if retry_info else None
    low = details.lower()
    if code == "DEADLINE_EXCEEDED":
        error = DeadlineError("waiting for an answer took too long")
    if code in _RETRYABLE:
        verdict = RETRYABLE
    elif code == "RESOURCE_EXHAUSTED" and any(mark in low for mark in _TOO_LARGE_MARKS):
        verdict = TOO_LARGE
    elif code == "RESOURCE_EXHAUSTED" and pause_s is not None:
        verdict = RETRYABLE
    elif code in ("UNIMPLEMENTED", "INTERNAL") and any(mark in low for mark in _NO_CODEC_MARKS):
        verdict = UNREADABLE
    else:
        verdict = REJECTED if code in _REJECTED else MISDIRECTED
    return Reply(verdict, status=_HTTP_STATUSES.get(code, 0), retry_after_s=pause_s, error=error)


def retry_delay_s(status: bytes) -> float | None:
    """The delay of the google.rpc.RetryInfo in a google.rpc.Status; None when there is none."""
    for number, detail in fields(status):
        if number != 3 or not isinstance(detail, bytes):
            continue
        packed = dict(fields(detail))
        kind, value = packed.get(1), packed.get(2)
        if isinstance(kind, bytes) and kind.endswith(b"/google.rpc.RetryInfo") and isinstance(value, bytes):
            delay = dict(fields(value)).get(1, b"")
            parts = dict(fields(delay)) if isinstance(delay, bytes) else {}
            seconds, nanos = parts.get(1, 0), parts.get(2, 0)
            if isinstance(seconds, int) and isinstance(nanos, int) and seconds < 1 << 32 and nanos < 10**9:
                return seconds + nanos / 1e9
    return None
