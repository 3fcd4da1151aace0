"""Our records seen as OpenTelemetry objects, and theirs seen as records; opentelemetry is only imported on demand.

``spans_cy`` is given this module as its bridge, so that the hot core imports nothing of OpenTelemetry.
"""

from __future__ import annotations

import sys

from remora import diagnostics
from remora.process.loading import loading
from remora.telemetry import spans_cy
from remora.telemetry.names import EXCEPTION_ESCAPED, EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE, EXCEPTION_TYPE
from remora.telemetry.scope import Scope
from remora.telemetry.spans_cy import MASK64, Frame, Span, context_span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from remora.telemetry.spans_cy import Engine, SpanScope

# Inside an OpenTelemetry Context this key carries what only our frames know.
FRAME_KEY = "remora-frame"
_HTTP_CLIENT = 1  # the family bit of outgoing HTTP calls

_sdk_span_class: Any = None


def report_as(sdk_span_class: Any) -> None:
    """From now on ``isinstance(span, sdk class)`` holds for our spans."""
    global _sdk_span_class
    _sdk_span_class = sdk_span_class


def reported_class(own: Any) -> Any:
    return _sdk_span_class if _sdk_span_class is not None else own


def whole(value: Any) -> int:
    """A timestamp or id as an int; what is no number counts as 0."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return 0


def undelivered(engine: Engine, error: Exception) -> None:
    """The pipeline raised, which it must not: the span is lost, said and counted, and the program goes on."""
    engine.undelivered += 1
    diagnostics.say("undelivered", f"a span was lost: {diagnostics.fault_text(error)}", level="error", every_s=60.0)


def span_kind(kind: Any) -> Any:
    """A SpanKind for an API that insists on one."""
    from opentelemetry.trace import SpanKind

    return SpanKind.INTERNAL if kind is None else kind


_PRIVATE = {
    "_name": "name",
    "_context": "context",
    "_kind": "kind",
    "_parent": "parent",
    "_start_time": "start_time",
    "_end_time": "end_time",
    "_status": "status",
    "_attributes": "attributes",
    "_events": "events",
    "_links": "links",
    "_resource": "resource",
    "_instrumentation_scope": "instrumentation_scope",
}


def private(span: Span, name: str) -> Any:
    """The SDK's private attributes of a span, for reading."""
    public = _PRIVATE.get(name)
    if public is None:
        raise AttributeError(f"'Span' object has no attribute {name!r}")
    return getattr(span, public)


# Contexts


def span_context(span: Span) -> Any:
    from opentelemetry.trace import SpanContext, TraceFlags, TraceState

    return SpanContext(
        (span.trace_hi << 64) | span.trace_lo,
        span.span_id,
        bool(span.remote),
        TraceFlags(span.flags),
        TraceState.from_header([span.tracestate]) if span.tracestate else TraceState(),
    )


def from_foreign(span: Any) -> Span | None:
    """A foreign current span (the SDK's, a NonRecordingSpan) as a context-only record."""
    if isinstance(span, Span):
        return span
    try:
        context = span.get_span_context()
        return _from_context(context)
    except Exception:
        # A broken foreign span must not break the program that made it current: no parent then.
        return None


def _from_context(context: Any) -> Span:
    trace_id = int(context.trace_id)
    return context_span(
        (trace_id >> 64) & MASK64,
        trace_id & MASK64,
        int(context.span_id) & MASK64,
        int(context.trace_flags) & 0xFF,
        tracestate_header(context.trace_state),
        bool(context.is_remote),
    )


def tracestate_header(state: Any) -> str:
    """A TraceState in header form."""
    if not state:
        return ""
    return ",".join(f"{key}={value}" for key, value in state.items())


def frame_of(context: Any) -> Frame:
    """The frame that means the same as an OpenTelemetry Context."""
    if context is None:
        return Frame()
    propagation = sys.modules.get("opentelemetry.trace.propagation")
    baggage_module = sys.modules.get("opentelemetry.baggage")
    context_module = sys.modules.get("opentelemetry.context")
    span = context.get(propagation._SPAN_KEY) if propagation is not None else None
    baggage = context.get(baggage_module._BAGGAGE_KEY) if baggage_module is not None else None
    suppressed = bool(context.get("suppress_instrumentation"))
    if not suppressed and context_module is not None:
        suppressed = bool(context.get(context_module._SUPPRESS_INSTRUMENTATION_KEY))
    ours = context.get(FRAME_KEY)
    families = ours[0] if ours else 0
    if context_module is not None and context.get(context_module._SUPPRESS_HTTP_INSTRUMENTATION_KEY):
        families |= _HTTP_CLIENT
    frame = Frame(
        span,
        dict(baggage) if baggage else None,
        families,
        ours[1] if ours else None,
        context,
        suppressed,
    )
    frame.open_call = ours[2] if ours else None
    return frame


def attached(context: Any, around: Frame) -> Frame:
    """The frame of a Context that is made current inside ``around``.

    The calls that are open there stay open, and an excluded request stays excluded. A Context from elsewhere, such as
    one extracted from a message, does not know of them, but it only says whose child the next span is.
    """
    frame = frame_of(context)
    if around.open_call is not None and (context is None or FRAME_KEY not in context):
        frame.open_families |= around.open_families
        frame.server = around.server
        frame.open_call = around.open_call
        frame.otel, frame.otel_base = None, context
    elif _is_silent(around.span) and not _is_silent(frame.span):
        frame.span = around.span
        frame.suppressed = around.suppressed
        frame.otel, frame.otel_base = None, context
    return frame


def _is_silent(span: Any) -> bool:
    return type(span) is Span and span.silent


def context_of(frame: Frame) -> Any:
    """The OpenTelemetry Context that means the same as a frame."""
    if frame.otel is not None:
        return frame.otel
    from opentelemetry.context.context import Context
    from opentelemetry.trace.propagation import _SPAN_KEY

    values = dict(frame.otel_base) if frame.otel_base is not None else {}
    if frame.span is not None:
        values[_SPAN_KEY] = frame.span
    else:
        values.pop(_SPAN_KEY, None)
    if frame.baggage:
        from opentelemetry.baggage import _BAGGAGE_KEY

        values[_BAGGAGE_KEY] = dict(frame.baggage)
    if frame.open_families or frame.server is not None:
        values[FRAME_KEY] = (frame.open_families, frame.server, frame.open_call)
    if frame.suppressed:
        values["suppress_instrumentation"] = True
    frame.otel = Context(values)
    return frame.otel


# Reading a span as the SDK's ReadableSpan


def kind(span: Span) -> Any:
    from opentelemetry.trace import SpanKind

    return SpanKind(span.kind_code)


def parent(span: Span) -> Any:
    if not span.parent_id:
        return None
    from opentelemetry.trace import SpanContext, TraceFlags, TraceState

    return SpanContext(
        (span.trace_hi << 64) | span.trace_lo,
        span.parent_id,
        bool(span.parent_remote),
        TraceFlags(span.flags),
        TraceState.from_header([span.tracestate]) if span.tracestate else TraceState(),
    )


def status(span: Span) -> Any:
    from opentelemetry.trace import Status, StatusCode

    return Status(StatusCode(span.status_code), span.status_message)


def attributes(span: Span) -> Mapping[str, Any]:
    from types import MappingProxyType

    return MappingProxyType(span.attribute_values or {})


def events(span: Span) -> Any:
    from opentelemetry.sdk.trace import Event

    return tuple(
        Event(name, _bounded(values, dropped), time_ns) for name, time_ns, values, dropped in span.event_records or ()
    )


def links(span: Span) -> Any:
    from opentelemetry.trace import Link

    return tuple(Link(_link_context(record), _bounded(record[4], record[5])) for record in span.link_records or ())


def link_objects(records: list[Any] | None) -> Any:
    """OpenTelemetry Links of our link records."""
    if not records:
        return ()
    from opentelemetry.trace import Link

    return tuple(Link(_link_context(record), record[4]) for record in records)


def _link_context(record: Any) -> Any:
    from opentelemetry.trace import SpanContext, TraceFlags, TraceState

    trace_hi, trace_lo, span_id, remote, _, _, flags, state = record
    return SpanContext(
        (trace_hi << 64) | trace_lo,
        span_id,
        bool(remote),
        TraceFlags(flags),
        TraceState.from_header([state]) if state else TraceState(),
    )


def _bounded(values: dict[str, Any] | None, dropped: int) -> Any:
    from opentelemetry.attributes import BoundedAttributes

    bounded = BoundedAttributes(None, values or {}, immutable=True)
    bounded.dropped = dropped
    return bounded


def resource(span: Span) -> Any:
    own = span.engine.resource if span.engine is not None else None
    return own.sdk() if own is not None else None


def instrumentation_scope(span: Span) -> Any:
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    scope = span.scope
    if scope is None:
        return None
    return InstrumentationScope(scope.name, scope.version or "", scope.schema_url or "", scope.attributes)


def sdk_span(span: Span) -> Any:
    """A genuine SDK ReadableSpan with the span's present state: what SpanProcessors and SpanExporters get."""
    from opentelemetry.sdk.trace import ReadableSpan

    return ReadableSpan(
        name=span.span_name,
        context=span.get_span_context(),
        parent=parent(span),
        resource=resource(span),
        attributes=_bounded(span.attribute_values, span.dropped_attributes_count),
        events=_counted(events(span), span.dropped_events_count),
        links=_counted(links(span), span.dropped_links_count),
        kind=kind(span),
        status=status(span),
        start_time=span.start_ns or None,
        end_time=span.end_ns if span.ended else None,
        instrumentation_scope=instrumentation_scope(span),
    )


def from_sdk_span(span: Any, engine: Engine, scopes: dict[Any, Scope]) -> Span:
    """A finished SDK span as one of our records, for a program that keeps its own provider."""
    context = span.get_span_context()
    record = _from_context(context)
    record.remote = False
    record.engine = engine
    record.span_name = str(span.name)
    record.kind_code = span.kind.value
    if span.parent is not None:
        record.parent_id = span.parent.span_id
        record.parent_remote = bool(span.parent.is_remote)
    record.start_ns = whole(span.start_time)
    record.end_ns = whole(span.end_time)
    record.attribute_values = engine.clean(span.attributes or {}, engine.attribute_count_limit)
    record.dropped_attributes_count = span.dropped_attributes
    record.event_records = [
        (event.name, event.timestamp, engine.clean(event.attributes or {}, engine.event_attribute_count_limit), 0)
        for event in span.events
    ] or None
    record.dropped_events_count = span.dropped_events
    record.link_records = engine.links(span.links)
    record.dropped_links_count = span.dropped_links
    record.status_code = span.status.status_code.value
    record.status_message = span.status.description
    scope = span.instrumentation_scope
    key = (scope.name, scope.version, scope.schema_url) if scope is not None else ("", None, None)
    if key not in scopes:
        scopes[key] = Scope(key[0], key[1] or None, key[2] or None)
    record.scope = scopes[key]
    record.recording = True
    record.ended = True
    return record


def _counted(entries: Any, dropped: int) -> Any:
    """The SDK's list that knows how many entries a limit removed."""
    from opentelemetry.sdk.util import BoundedList

    bounded = BoundedList.from_seq(None, entries)
    bounded.dropped = dropped
    return bounded


# Writing: exceptions, links, odd values


def exception_attributes(
    exception: BaseException,
    escaped: bool,
    redact: Callable[[str], str] | None,
    redact_message: Callable[[str], str] | None = None,
) -> dict[str, Any]:
    """The attributes of an ``exception`` event, with secrets redacted in the message and the stack trace.

    ``redact_message`` is the stricter redaction of a convention that knows what its messages quote.
    """
    try:
        message = str(exception)
    except Exception:
        message = f"<{type(exception).__name__} without a readable message>"
    try:
        with loading:
            import traceback
        stacktrace = "".join(traceback.format_exception(type(exception), exception, exception.__traceback__))
    except Exception:
        stacktrace = message
    if redact_message is not None and message:
        told = redact_message(message)
        stacktrace = stacktrace.replace(message, told)
        message = told
    if redact is not None:
        message = redact(message)
        stacktrace = redact(stacktrace)
    values: dict[str, Any] = {
        EXCEPTION_TYPE: class_name(type(exception)),
        EXCEPTION_MESSAGE: message,
        EXCEPTION_STACKTRACE: stacktrace,
    }
    if escaped:
        values[EXCEPTION_ESCAPED] = "True"
    return values


def class_name(cls: type) -> str:
    """The fully qualified name, without the module for builtins."""
    module = cls.__module__
    return cls.__qualname__ if not module or module == "builtins" else f"{module}.{cls.__qualname__}"


def status_description(exception: BaseException, redact: Callable[[str], str] | None) -> str:
    try:
        text = f"{type(exception).__name__}: {exception}"
    except Exception:
        text = type(exception).__name__
    return redact(text) if redact is not None else text


def link_record(context: Any, values: dict[str, Any] | None, dropped: int) -> tuple[Any, ...] | None:
    try:
        trace_id = int(context.trace_id)
        span_id = int(context.span_id)
        state = tracestate_header(context.trace_state)
        if not (trace_id and span_id) and not values and not state:
            return None
        return (
            (trace_id >> 64) & MASK64,
            trace_id & MASK64,
            span_id & MASK64,
            bool(context.is_remote),
            values,
            dropped,
            int(context.trace_flags) & 0xFF,
            state,
        )
    except (AttributeError, TypeError, ValueError):
        return None


def unusual_value(value: Any, engine: Engine, depth: int) -> Any:
    """Sequences and mappings of other types keep their shape; everything else becomes its text, else None."""
    from collections.abc import Mapping as AnyMapping
    from collections.abc import Sequence as AnySequence

    try:
        if depth < 16:
            if isinstance(value, (bytearray, memoryview)):
                return bytes(value)
            if isinstance(value, AnySequence):
                return tuple(engine.tidy(item, depth + 1) for item in value)
            if isinstance(value, AnyMapping):
                return {str(key): engine.tidy(item, depth + 1) for key, item in value.items() if key}
        own: Any = type(value)
        if own.__str__ is object.__str__ and own.__repr__ is object.__repr__:
            return None
        return engine.tidy(str(value), depth)
    except Exception:
        return None


def decorated(scope: SpanScope, function: Callable[..., Any]) -> Callable[..., Any]:
    """``@tracer.start_as_current_span(...)``."""
    import functools
    import inspect

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def in_span_async(*args: Any, **kwargs: Any) -> Any:
            with scope.again():
                return await function(*args, **kwargs)

        return in_span_async

    @functools.wraps(function)
    def in_span(*args: Any, **kwargs: Any) -> Any:
        with scope.again():
            return function(*args, **kwargs)

    return in_span


spans_cy.set_bridge(sys.modules[__name__])
