"""AWS X-Ray's ``X-Amzn-Trace-Id`` header: ``Root=1-<8 digits>-<24 digits>;Parent=<16 digits>;Sampled=1``."""

from __future__ import annotations

from remora.telemetry.spans_cy import MASK64, SAMPLED, Frame, context_span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from typing import Any

    from remora.telemetry.spans_cy import Span

_HEX = frozenset("0123456789abcdefABCDEF")
_HEADER = "X-Amzn-Trace-Id"
_MAX_CHARS = 2048


class XRay:
    """Writes and reads X-Ray's header."""

    awaits = ("x-amzn-trace-id",)
    enumerates = False

    def inject(self, frame: Frame, span: Span | None, carrier: MutableMapping[str, Any]) -> None:  # noqa: ARG002 - no baggage
        """Sets the header."""
        if span is None:
            return
        high = f"{span.trace_hi:016x}"
        sampled = 1 if span.flags & SAMPLED else 0
        root = f"1-{high[:8]}-{high[8:]}{span.trace_lo:016x}"
        carrier[_HEADER] = f"Root={root};Parent={span.span_id:016x};Sampled={sampled}"

    def extract(self, header: Callable[[str], str | None], pairs: Any = ()) -> Frame | None:  # noqa: ARG002 - no baggage
        """The parent; the parts may come in any order and with others (Self, Lineage) between."""
        value = header("x-amzn-trace-id")
        if not value or len(value) > _MAX_CHARS:
            return None
        parts: dict[str, str] = {}
        for part in value.split(";"):
            name, equals, text = part.partition("=")
            if not equals:
                return None
            parts[name.strip()] = text.strip()
        version, _, root = parts.get("Root", "").partition("-")
        parent, sampled = parts.get("Parent", ""), parts.get("Sampled", "0")
        trace_id = root[:8] + root[9:]
        if version != "1" or len(root) != 33 or root[8] != "-" or len(parent) != 16 or sampled not in ("0", "1"):
            return None
        if not (_HEX.issuperset(trace_id) and _HEX.issuperset(parent)):
            return None
        whole, own = int(trace_id, 16), int(parent, 16)
        if not whole or not own:
            return None
        return Frame(context_span(whole >> 64, whole & MASK64, own, SAMPLED if sampled == "1" else 0, "", True))
