"""Reading `partial_success` from an Export*ServiceResponse, whose shape is the same for every signal."""

from __future__ import annotations

from remora.export.protobuf import fields


class PartialSuccess:
    """How many items the collector refused, and why; or, with none refused, a warning."""

    __slots__ = ("message", "rejected")

    def __init__(self, rejected: int, message: str) -> None:
        self.rejected = rejected
        self.message = message


def read(body: bytes) -> PartialSuccess:
    """What can be made out; nothing rejected if the body is anything else (servers answer JSON, HTML, nothing)."""
    rejected, message = 0, ""
    for number, value in fields(body):
        if number == 1 and isinstance(value, bytes):
            for inner, content in fields(value):
                if inner == 1 and isinstance(content, int):
                    rejected = content if content < 1 << 63 else 0
                elif inner == 2 and isinstance(content, bytes):
                    message = content.decode("utf-8", "replace")
    return PartialSuccess(rejected, message)
