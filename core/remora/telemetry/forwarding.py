"""A program may set a tracer provider of its own: what that one makes reaches our pipeline as well."""

from __future__ import annotations

from remora import diagnostics
from remora.telemetry import readable
from remora.telemetry.spans_cy import current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from remora.telemetry.scope import Scope
    from remora.telemetry.spans_cy import Engine, Span

_SERVER = 1
_MOST_OPEN = 65_536  # spans that never end must not fill the memory


class Forwarding:
    """A span processor for a provider that the program set: its spans also reach our pipeline, in the same trace.

    What a library starts there as a SERVER span inside a request that has ours is an INTERNAL one to us, so that every
    request has one; the program's own exporters see it as it is.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._scopes: dict[Any, Scope] = {}
        self._inside: dict[int, Span | None] = {}  # of SERVER spans inside our own: what was current

    def on_start(self, span: Any, parent_context: Any = None) -> None:  # noqa: ARG002 - the SDK's signature
        diagnostics.guarded("provider-forward", self._started)(span)

    def _started(self, span: Any) -> None:
        frame = current()
        if span.kind.value == _SERVER and frame.server is not None and len(self._inside) < _MOST_OPEN:
            self._inside[span.context.span_id] = readable.from_foreign(frame.span) if frame.span is not None else None

    def _on_ending(self, span: Any) -> None:
        """Nothing to do."""

    def on_end(self, span: Any) -> None:
        diagnostics.guarded("provider-forward", self._forward)(span)

    def _forward(self, span: Any) -> None:
        record = readable.from_sdk_span(span, self._engine, self._scopes)
        if record is not None and record.span_id in self._inside:
            _put_inside(record, self._inside.pop(record.span_id))
        if record is not None and record.flags & 1 and self._engine.deliver is not None:
            self._engine.finished += 1
            self._engine.deliver(record)

    def shutdown(self) -> None:
        """Nothing to do: the pipeline ends with the process."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002 - the SDK's signature
        return True


def _put_inside(record: Span, outer: Span | None) -> None:
    record.kind_code = 0
    if outer is None or outer.remote:
        return
    if (record.trace_hi, record.trace_lo) == (outer.trace_hi, outer.trace_lo):
        record.parent_id, record.parent_remote = outer.span_id, False
    else:
        link = (outer.trace_hi, outer.trace_lo, outer.span_id, False, None, 0, outer.flags, outer.tracestate)
        record.link_records = [*(record.link_records or ()), link]
