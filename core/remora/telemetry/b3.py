"""B3, Zipkin's trace headers: all in one ``b3`` header, or each in an ``X-B3-`` header of its own. Both are read."""

from __future__ import annotations

from remora.telemetry.spans_cy import SAMPLED, Frame, context_span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from typing import Any

    from remora.telemetry.spans_cy import Span

_HEX = frozenset("0123456789abcdefABCDEF")
_YES = frozenset({"1", "true", "True", "d"})


class B3:
    """``multiple`` tells which of the two is written."""

    awaits = ("b3", "x-b3-traceid")
    enumerates = False

    def __init__(self, multiple: bool) -> None:
        self._multiple = multiple

    def inject(self, frame: Frame, span: Span | None, carrier: MutableMapping[str, Any]) -> None:  # noqa: ARG002 - no baggage
        """Sets the headers."""
        if span is None:
            return
        trace_id, span_id = f"{span.trace_hi:016x}{span.trace_lo:016x}", f"{span.span_id:016x}"
        sampled = "1" if span.flags & SAMPLED else "0"
        if self._multiple:
            carrier["x-b3-traceid"] = trace_id
            carrier["x-b3-spanid"] = span_id
            carrier["x-b3-sampled"] = sampled
        else:
            carrier["b3"] = f"{trace_id}-{span_id}-{sampled}"

    def extract(self, header: Callable[[str], str | None], pairs: Any = ()) -> Frame | None:  # noqa: ARG002 - no baggage
        """The parent; a single header without a sampling state leaves that to us, which is to sample."""
        single = header("b3")
        if single:
            fields = single.strip().split("-")
            if not 2 <= len(fields) <= 4:
                return None  # a sampling state alone ("0"): nobody's child
            return _frame(fields[0], fields[1], len(fields) == 2 or fields[2] in _YES)
        trace_id, span_id = header("x-b3-traceid"), header("x-b3-spanid")
        if not trace_id or not span_id:
            return None
        sampled = (header("x-b3-sampled") or "").strip() in _YES or (header("x-b3-flags") or "").strip() == "1"
        return _frame(trace_id.strip(), span_id.strip(), sampled)


def _frame(trace_id: str, span_id: str, sampled: bool) -> Frame | None:
    if len(trace_id) not in (16, 32) or len(span_id) != 16:
        return None
    if not (_HEX.issuperset(trace_id) and _HEX.issuperset(span_id)):
        return None
    high, low, own = int(trace_id[:-16] or "0", 16), int(trace_id[-16:], 16), int(span_id, 16)
    if not (high or low) or not own:
        return None
    return Frame(context_span(high, low, own, SAMPLED if sampled else 0, "", True))
