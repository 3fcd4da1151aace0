"""The trace context as a comment at the end of a statement, as the sqlcommenter specification has it.

SELECT 1 /*traceparent='00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'*/
"""

from __future__ import annotations

from remora.telemetry.spans_cy import Span, current
from remora.telemetry.tracecontext import traceparent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")


def comment(pairs: Mapping[str, str]) -> str:
    """``/*key='value',...*/``: sorted by key, percent-encoded; empty when there are no pairs."""
    if not pairs:
        return ""
    # Percent-encoding leaves neither a quote to escape nor an end of the comment in a value.
    return "/*" + ",".join(f"{_encoded(key)}='{_encoded(value)}'" for key, value in sorted(pairs.items())) + "*/"


def of_current_span() -> str:
    """The comment for a statement that is sent now; empty where nothing is traced."""
    span = current().span
    if type(span) is not Span or span.silent or not span.span_id:
        return ""
    pairs = {"traceparent": traceparent(span)}
    if span.tracestate:
        pairs["tracestate"] = span.tracestate
    return comment(pairs)


def current_call() -> Any:
    """The record of the call that is open, None if there is none."""
    return current().open_call


def commented(statement: Any, text: str) -> Any:
    """The statement, str or bytes, with the comment at its end; the very same one if there is a comment already."""
    if isinstance(statement, (bytes, bytearray)):
        return _with(statement, text.encode(), b"*/", b"--", b"#", b"\n", b";", b" ")
    return _with(statement, text, "*/", "--", "#", "\n", ";", " ")


def _with(
    statement: Any, text: Any, closing: Any, dashes: Any, sharp: Any, line: Any, semicolon: Any, space: Any
) -> Any:
    bare = statement.rstrip()
    end = bare[len(bare.rstrip(semicolon)) :]
    bare = bare[: len(bare) - len(end)].rstrip()
    last_line = bare[bare.rfind(line) + 1 :]
    if not bare or bare.endswith(closing) or dashes in last_line or sharp in last_line:
        return statement
    return bare + space + text + end


def _encoded(text: str) -> str:
    return "".join([chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in text.encode()])
