"""Jaeger's ``uber-trace-id`` header, and its baggage: a header ``uberctx-<key>`` for each member."""

from __future__ import annotations

from remora.telemetry.spans_cy import MASK64, SAMPLED, Frame, context_span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, MutableMapping
    from typing import Any

    from remora.telemetry.spans_cy import Span

_HEX = frozenset("0123456789abcdefABCDEF")
_BAGGAGE = "uberctx-"

# Jaeger has no limits of its own; these are those of W3C Baggage.
_MAX_MEMBERS = 180
_MAX_MEMBER_CHARS = 4096
_MAX_CHARS = 8192


class Jaeger:
    """Writes and reads Jaeger's headers."""

    awaits = ("uber-trace-id",)
    enumerates = True  # what baggage there is, only the names of the headers tell

    def inject(self, frame: Frame, span: Span | None, carrier: MutableMapping[str, Any]) -> None:
        """Sets the headers; the parent's id is deprecated and always 0."""
        if span is None:
            return
        flags = 1 if span.flags & SAMPLED else 0
        carrier["uber-trace-id"] = f"{span.trace_hi:016x}{span.trace_lo:016x}:{span.span_id:016x}:0:{flags}"
        if frame.baggage:
            from urllib.parse import quote  # deferred: most programs have no baggage

            members = ((_BAGGAGE + key, quote(str(value))) for key, value in frame.baggage.items())
            for name, value in _bounded(members):
                carrier[name] = value

    def extract(self, header: Callable[[str], str | None], pairs: Iterable[tuple[str, str]] = ()) -> Frame | None:
        """The parent, whose ids may come without leading zeros, and the baggage among the ``pairs``."""
        value = header("uber-trace-id")
        if not value:
            return None
        fields = value.strip().replace("%3A", ":").replace("%3a", ":").split(":")
        if len(fields) != 4 or not all(map(_HEX.issuperset, (fields[0], fields[1], fields[3]))):
            return None
        if not (0 < len(fields[0]) <= 32 and 0 < len(fields[1]) <= 16 and 0 < len(fields[3]) <= 2):
            return None
        trace_id, span_id, flags = int(fields[0], 16), int(fields[1], 16), int(fields[3], 16)
        if not trace_id or not span_id:
            return None
        span = context_span((trace_id >> 64) & MASK64, trace_id & MASK64, span_id, flags & SAMPLED, "", True)
        return Frame(span, _members(pairs))


def _members(pairs: Iterable[tuple[str, str]]) -> dict[str, str] | None:
    found = [(name, value) for name, value in pairs if name.startswith(_BAGGAGE)]
    if not found:
        return None
    from urllib.parse import unquote  # deferred, as above

    return {name[len(_BAGGAGE) :]: unquote(value).strip() for name, value in _bounded(found)} or None


def _bounded(members: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    size = 0
    for index, (name, value) in enumerate(members):
        chars = len(name) - len(_BAGGAGE) + len(value) + 2
        if index >= _MAX_MEMBERS:
            return
        if chars <= _MAX_MEMBER_CHARS and size + chars <= _MAX_CHARS:
            size += chars
            yield name, value
