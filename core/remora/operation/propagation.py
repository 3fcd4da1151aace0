"""Trace context and baggage into and out of carriers, by the propagators of ``OTEL_PROPAGATORS``."""

from __future__ import annotations

from remora.telemetry import readable, tracecontext
from remora.telemetry.spans_cy import SAMPLED, Frame, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, MutableMapping
    from typing import Any

    from remora.telemetry.propagators import Propagator


class Propagation:
    """Writes the current frame into outgoing carriers and reads frames from incoming headers.

    ``tracecontext`` and ``baggage`` are W3C's; ``further`` are those of other formats, ours and other packages'.
    ``unsampled`` counts the parents read whose trace is not sampled.
    """

    def __init__(self, names: tuple[str, ...], further: tuple[Propagator, ...] = ()) -> None:
        self.trace = "tracecontext" in names
        self.baggage = "baggage" in names
        self.further = further
        # Of a frame without baggage ``traceparent`` is all that is written, and ``tracestate`` where there is one.
        self.simple = self.trace and not further
        self.unsampled = 0
        # Without any of these headers there is nothing to extract; None: other packages' propagators have their own.
        self.awaited: tuple[str, ...] | None = self._awaited()

    def _awaited(self) -> tuple[str, ...] | None:
        names = (("traceparent",) if self.trace else ()) + (("baggage",) if self.baggage else ())
        for propagator in self.further:
            if propagator.awaits is None:
                return None
            names += propagator.awaits
        return names

    def inject(self, frame: Frame, carrier: MutableMapping[str, Any]) -> None:
        """Sets the headers of ``frame`` in ``carrier`` by item assignment."""
        span = frame.span
        if span is not None and not isinstance(span, Span):
            span = readable.from_foreign(span)
        if self.trace and span is not None and span.span_id:
            carrier["traceparent"] = tracecontext.traceparent(span)
            if span.tracestate:
                carrier["tracestate"] = span.tracestate
        if self.baggage and frame.baggage:
            from remora.operation import baggage  # deferred, as below: most requests carry none

            carrier["baggage"] = baggage.render(frame.baggage)
        for propagator in self.further:
            propagator.inject(frame, span if span is not None and span.span_id else None, carrier)

    def extract(self, header: Callable[[str], str | None]) -> Frame | None:
        """The frame that the headers describe; None when they hold neither a valid parent nor baggage."""
        span: Any = None
        members = None
        if self.trace:
            parent = header("traceparent")
            if parent:
                span = tracecontext.parse(parent, header("tracestate"))
        if self.baggage and (carried := header("baggage")):
            from remora.operation import baggage

            members = baggage.parse(carried)
        for propagator in self.further:
            if span is None:
                found = propagator.extract(header, _all(header) if propagator.enumerates else ())
                if found is not None:
                    span = found.span
                    members = members or found.baggage
        if span is None and members is None:
            return None
        if span is not None and not span.flags & SAMPLED:
            self.unsampled += 1
        return Frame(span, members)


def _all(header: Callable[[str], str | None]) -> Iterable[tuple[str, str]]:
    """Every header of the request whose record's ``header`` this is."""
    from remora.conventions import header_pairs  # deferred: only propagators of other packages want all headers

    call = getattr(header, "__self__", None)
    return header_pairs.pairs(header_pairs.of_request(call)) if hasattr(call, "request_headers") else ()
