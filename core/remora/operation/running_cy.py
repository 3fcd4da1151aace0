"""One running call: from the plugin's record to the ended span. Compiled when it can be; the same source either way.

Nothing here raises into the program: a fault of a plugin or of ours is counted and the call goes on untraced.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from remora import _cython as cython  # type: ignore[no-redef]

from time import time_ns

from remora.conventions.keys import ERROR_TYPE
from remora.telemetry import readable, spans_cy
from remora.telemetry.traceparent_cy import traceparent

if not cython.compiled:
    from remora.conventions.call_cy import Call
    from remora.operation.measuring_cy import Measured
    from remora.telemetry.spans_cy import Frame, Span, current, pop, push
else:
    from cython.cimports.remora.conventions.call_cy import Call
    from cython.cimports.remora.operation.measuring_cy import Measured
    from cython.cimports.remora.telemetry.spans_cy import Frame, Span, current, pop, push

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from remora.operation.propagation import Propagation
    from remora.telemetry.scope import Scope

COMPILED = cython.compiled
_BRIDGE = readable  # imported so that the engine can make OpenTelemetry objects and read exceptions
INTERNAL = 0
SERVER = 1
CONSUMER = 4
MESSAGING = 8  # the family


@cython.final
@cython.cclass
class Operations:
    """Starts the calls of one instrumentation.

    ``fault(where, error)`` counts what a plugin (or we) did wrong; ``active`` is False once it is quarantined. What the
    settings do not ask for is None: ``excluded(call)`` and ``reaches(call)`` tell what is left out and whom the trace
    may travel to; ``optional`` adds the attributes that are opt-in.
    """

    def __init__(
        self, engine: Any, scope: Scope, propagation: Propagation, fault: Callable[[str, BaseException], None]
    ) -> None:
        self.engine = engine
        self.scope = scope
        self.propagation = propagation
        self.fault = fault
        self.active = True
        self.excluded: Any = None
        self.reaches: Any = None
        self.optional: Any = None
        self.measuring: Any = None

    def begin(self, call: Any) -> Running | None:
        """Starts the call's span and makes it current; None when it is not to be traced (a double, suppressed)."""
        if call is None or not self.active:
            return None
        if not isinstance(call, Call):
            self.fault("reads", TypeError(f"it returned {type(call).__name__}, not a call's record"))
            return None
        frame: Frame = current()
        if frame.suppressed:
            _silenced(self, call, frame)
            return None
        try:
            return _started(self, call, frame, 0)
        except Exception as error:
            self.fault("start", error)
            return None

    def passed(self, call: Any, start_ns: cython.ulonglong, exception: Any = None) -> Any:
        """Makes the span of a call that is over and began at ``start_ns`` (Unix time).

        For calls of which only their end tells whether they are worth one, as most polls of a queue are not.
        """
        if call is None or not self.active:
            return None
        frame: Frame = current()
        if frame.suppressed:
            return None
        try:
            running = _started(self, call, frame, start_ns)
        except Exception as error:
            self.fault("start", error)
            return None
        if running is not None:
            if running.measured is not None and running.measured.began_ns:
                running.measured.began_ns -= max(0, time_ns() - start_ns)
            running.end(exception)
        return None


@cython.cfunc
def _started(operations: Operations, call: Call, frame: Frame, start_ns: cython.ulonglong) -> Running | None:
    family: cython.uint = call.family
    if frame.open_families & family and _doubles(call, frame, family):
        return None
    kind: cython.int = call.kind
    role: cython.int = kind
    parent: Frame = frame
    if kind == SERVER and frame.span is not None and _program_serves(frame):
        role = INTERNAL
    elif call.extracts:
        incoming = _extracted(operations.propagation, call)
        if incoming is not None:
            parent = incoming
        elif frame is spans_cy.root():
            # A parent inherited from the environment belongs to this process, not to each request it serves.
            parent = Frame()
    if operations.excluded is not None and operations.excluded(call):
        return _left_out(operations, call, parent)
    links: list[Any] | None = None
    if family == MESSAGING:
        origins = cython.cast(object, call).origins(operations.propagation, parent)
        parent = origins[0]
        links = origins[1]
    name: str = call.name()
    attributes: dict[str, Any] = call.start()
    if operations.optional is not None:
        name = operations.optional.begun(call, name, attributes)
    span: Span = operations.engine.begin(operations.scope, name, role, parent, attributes, links, start_ns)
    inner: Frame = parent.child(span)
    if kind == SERVER or kind == CONSUMER:
        inner.open_families = family
        inner.server = call
    else:
        inner.open_families = parent.open_families | family
    inner.open_call = call
    if call.carrier is not None and call.injects and (operations.reaches is None or operations.reaches(call)):
        if span.tracestate or inner.baggage or not operations.propagation.simple:
            operations.propagation.inject(inner, call.carrier)
        else:
            call.carrier["traceparent"] = traceparent(span)
    if family == MESSAGING:
        cython.cast(object, call).begun(operations.propagation, inner)
    measured = operations.measuring.begin(call, attributes, span) if operations.measuring is not None else None
    if family == MESSAGING and measured is not None:
        measured.started = cython.cast(object, call).measured(attributes)
    running = _running(operations, call, span, inner)
    running.measured = measured
    return running


@cython.cfunc
def _program_serves(frame: Frame) -> cython.bint:
    """Whether the program has made a SERVER span for this very request, as a middleware of its own may do.

    Another provider's may never reach us; then the request would have none.
    """
    if frame.server is not None or type(frame.span) is not Span:
        return False
    span: Span = frame.span
    return span.kind_code == SERVER and not span.remote and not span.ended


@cython.cfunc
def _running(operations: Operations, call: Call, span: Span, inner: Frame) -> Running:
    running: Running = Running.__new__(Running)
    running.call = call
    running.span = span
    running.frame = inner
    running.operations = operations
    running.token = push(inner)
    return running


@cython.cfunc
def _left_out(operations: Operations, call: Call, parent: Frame) -> Running:
    """Runs a call that is excluded: of a served request nothing below is recorded, of a sent one no lower layer."""
    silent: Span
    inner: Frame
    if call.extracts:
        silent = operations.engine.silence(parent.span)
        inner = parent.child(silent)
        inner.server = inner.open_call = None
        inner.open_families = 0
    else:
        silent = operations.engine.silence(None)
        inner = parent.child(parent.span)
    inner.suppressed = True
    return _running(operations, call, silent, inner)


@cython.cfunc
def _silenced(operations: Operations, call: Call, frame: Frame) -> Any:
    """Tells the next service that an excluded request's trace is not sampled: what it does is below that, too."""
    span = frame.span
    if type(span) is not Span or not span.silent or call.carrier is None or not call.injects:
        return None
    try:
        if (operations.reaches is None or operations.reaches(call)) and (
            operations.excluded is None or not operations.excluded(call)
        ):
            operations.propagation.inject(frame, call.carrier)
    except Exception as error:
        operations.fault("start", error)
    return None


@cython.cfunc
def _doubles(call: Call, frame: Frame, family: cython.uint) -> cython.bint:
    """Whether a layer above already has this very call; a call from a callback of another one is its own."""
    outer = frame.open_call
    return outer is None or outer.family != family or call.doubles(outer)


@cython.cfunc
def _extracted(propagation: Any, call: Call) -> Any:
    """The frame that came with the request. Most have none: that is found out here, without a reader."""
    awaited: tuple[str, ...] | None = propagation.awaited
    if awaited is not None:
        for name in awaited:
            if call.header(name):
                break
        else:
            return None
    return propagation.extract(cython.cast(object, call).header)  # untyped: a C method cannot be handed over


@cython.final
@cython.freelist(32)
@cython.cclass
class Running:
    """A call that has begun. ``leave`` and ``enter`` take its frame off and on again while it waits or streams."""

    if not cython.compiled:
        call: Call
        span: Span
        frame: Frame
        operations: Operations
        token: Any
        over: bool = False
        measured: Measured | None = None

    def enter(self) -> Any:
        """Makes the call's frame current (again), unless the call is over."""
        if self.token is None and not self.over:
            self.token = push(self.frame)
        return None

    def leave(self) -> Any:
        """Restores the frame that was current before; in another context it does nothing."""
        token = self.token
        if token is not None:
            self.token = None
            pop(token, self.frame)
        return None

    def end(self, exception: Any = None, wordless: Any = False) -> Any:
        """Completes the record by the convention and ends the span; a second time does nothing.

        ``wordless``: no exception event, whose stack trace takes running code that a finaliser must not run.
        """
        if self.over:
            return None
        self.over = True
        self.leave()
        try:
            if not self.span.silent:
                self._complete(exception, wordless)
        except Exception as error:
            self.operations.fault("end", error)
            self.span.finish(0)
        if self.measured is not None:
            self.measured.over()
        # A thread that was started in a request may live for ever; the request's own objects must not.
        self.call.release()
        return None

    def _complete(self, exception: Any, wordless: Any) -> Any:
        span = self.span
        call = self.call
        measured = self.measured
        if span.recording or measured is not None:
            if exception is None and call.kind == SERVER:
                # What the framework answered with a page of its own was told to the record.
                exception = getattr(call, "exception", None)
            attributes: dict[str, object] = call.end(exception)
            if span.recording and self.operations.optional is not None:
                self.operations.optional.ended(call, attributes)
            name = call.late_name()
            if name is not None:
                span.span_name = name
            if ERROR_TYPE in attributes and span.recording:
                if span.status_code == 0:
                    span.status_code = 2
                    span.status_message = call.description(exception)
                if exception is not None and not wordless:
                    span.record_failure(exception, call.redacts)
            if attributes:
                span.put(attributes)
            span.finish(0)
            if measured is not None:
                measured.end(span, attributes)
                if call.family == MESSAGING:
                    counted = cython.cast(object, call).counted()
                    if counted is not None:
                        self.operations.measuring.count(counted[0], measured.started, attributes, counted[1])
        else:
            span.finish(0)
        return None
