"""The hot core of tracing: the current frame, span records, and the engine that starts and ends them.

One source, compiled or not (``COMPILED`` tells). Ids are unsigned 64-bit integers, times are Unix nanoseconds, and
OpenTelemetry objects are only made when someone asks for them. Nothing here imports opentelemetry.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from remora import _cython as cython  # type: ignore[no-redef]

import contextvars
import os

if cython.compiled:
    from cython.cimports.cpython.contextvars import PyContextVar_Reset, PyContextVar_Set, get_value
    from cython.cimports.libc.stdint import uint64_t
    from cython.cimports.posix.time import CLOCK_MONOTONIC, CLOCK_REALTIME, clock_gettime, timespec
else:
    from _random import Random
    from time import monotonic_ns, time_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from remora.telemetry.scope import Scope

COMPILED = cython.compiled
MASK64 = 0xFFFF_FFFF_FFFF_FFFF
SAMPLED = 1
RANDOM = 2

# Sampling modes of the engine; CUSTOM asks ``engine.sampler``.
ON, OFF, RATIO, CUSTOM, FOLLOW_PARENT = 0, 1, 2, 3, 4

_CURRENT: contextvars.ContextVar[Any] = contextvars.ContextVar("remora_frame", default=None)

# Makes OpenTelemetry objects of ours and back (telemetry.readable); it imports this module, so it is given.
_bridge: Any = None


def set_bridge(bridge: Any) -> None:
    """Gives the module that translates between our records and OpenTelemetry's objects."""
    global _bridge
    _bridge = bridge


@cython.final
@cython.cclass
class Frame:
    """What is current: a span, the baggage, which conventions have an open call, the enclosing server call.

    Immutable by agreement; ``child`` makes the next one. ``otel`` caches the OpenTelemetry Context of the same meaning,
    ``otel_base`` is the one it will be made from (other libraries' values live there).
    """

    if not cython.compiled:
        span: Any
        server: Any
        baggage: dict[str, Any] | None
        otel: Any
        otel_base: Any
        open_families: int
        open_call: Any
        suppressed: bool

    def __init__(
        self,
        span: Any = None,
        baggage: dict[str, Any] | None = None,
        open_families: int = 0,
        server: Any = None,
        otel: Any = None,
        suppressed: bool = False,
    ) -> None:
        self.span = span
        self.baggage = baggage
        self.open_families = open_families
        self.server = server
        self.otel = otel
        self.otel_base = None
        self.open_call = None
        self.suppressed = suppressed

    def child(self, span: Any) -> Frame:
        """The same frame with another current span."""
        frame: Frame = Frame.__new__(Frame)
        frame.span = span
        frame.baggage = self.baggage
        frame.otel = None
        frame.open_families = self.open_families
        frame.server = self.server
        frame.open_call = self.open_call
        frame.otel_base = self.otel if self.otel is not None else self.otel_base
        frame.suppressed = self.suppressed
        return frame


_root_frame = cython.declare(Frame, Frame())


def set_root(frame: Frame) -> None:
    """Replaces the frame that is current where nothing was attached (a parent inherited from the environment)."""
    global _root_frame
    _root_frame = frame


def root() -> Frame:
    """The frame that is current where nothing was attached."""
    return _root_frame


def current() -> Frame:
    """The current frame of this thread or task."""
    if cython.compiled:
        value = get_value(_CURRENT)
    else:
        value = _CURRENT.get()
    if value is None:
        return _root_frame
    return value  # type: ignore[no-any-return]


def push(frame: Frame) -> Any:
    """Makes ``frame`` current and returns the token that ``pop`` takes."""
    if cython.compiled:
        return PyContextVar_Set(_CURRENT, frame)
    return _CURRENT.set(frame)


def pop(token: Any, frame: Frame | None) -> Any:
    """Undoes ``push``. Never raises: in another context than the one of ``push`` (a generator closed by the garbage
    collector, a task cancelled elsewhere) it restores the previous frame only where ``frame`` is still current.
    """
    try:
        if cython.compiled:
            PyContextVar_Reset(_CURRENT, token)
        else:
            _CURRENT.reset(token)
    except (ValueError, RuntimeError):
        if frame is not None and _CURRENT.get() is frame:
            old = getattr(token, "old_value", None)
            _CURRENT.set(None if old is contextvars.Token.MISSING else old)
    return None


if cython.compiled:

    @cython.cfunc
    @cython.inline
    def _clock(which: cython.int) -> cython.longlong:
        moment: timespec
        clock_gettime(which, cython.address(moment))
        return cython.cast(cython.longlong, moment.tv_sec) * 1000000000 + moment.tv_nsec

    @cython.cfunc
    @cython.inline
    def _wall_ns() -> cython.longlong:
        return _clock(CLOCK_REALTIME)

    @cython.cfunc
    @cython.inline
    def _steady_ns() -> cython.longlong:
        return _clock(CLOCK_MONOTONIC)

    @cython.cfunc
    @cython.inline
    def _rotate(value: uint64_t, bits: cython.int) -> uint64_t:
        return (value << bits) | (value >> (64 - bits))

else:
    _wall_ns = time_ns
    _steady_ns = monotonic_ns


@cython.final
@cython.freelist(64)
@cython.no_gc
@cython.cclass
class Span:
    """One span: the record that is encoded, and the OpenTelemetry ``Span`` that the program holds.

    It answers to both the API's ``Span`` and the SDK's ``ReadableSpan``. A span that is not ``recording`` only carries
    its context. ``remote`` marks a context that came from another process. Below a ``silent`` one nothing is recorded,
    whatever the sampler.
    """

    if not cython.compiled:
        trace_hi: int
        trace_lo: int
        span_id: int
        parent_id: int
        start_ns: int
        end_ns: int
        anchor_ns: int
        flags: int
        kind_code: int
        status_code: int
        dropped_attributes_count: int
        dropped_events_count: int
        dropped_links_count: int
        parent_remote: bool
        remote: bool
        recording: bool
        ended: bool
        quiet_exceptions: bool
        keep_status: bool
        silent: bool
        span_name: str
        tracestate: str
        status_message: str | None
        attribute_values: dict[str, Any] | None
        event_records: list[tuple[str, int, dict[str, Any] | None, int]] | None
        link_records: list[tuple[Any, ...]] | None
        scope: Scope
        engine: Engine
        context_object: Any

        def __init__(self) -> None:
            self.trace_hi = self.trace_lo = self.span_id = self.parent_id = 0
            self.start_ns = self.end_ns = 0
            self.flags = self.kind_code = self.status_code = 0
            self.dropped_attributes_count = self.dropped_events_count = self.dropped_links_count = 0
            self.parent_remote = self.remote = self.recording = self.ended = False
            self.quiet_exceptions = self.keep_status = self.silent = False
            self.anchor_ns = 0
            self.span_name = self.tracestate = ""
            self.status_message = None
            self.attribute_values = None
            self.event_records = None
            self.link_records = None
            self.context_object = None
            self.scope = self.engine = None  # type: ignore[assignment]

    # What the operation engine uses: the dictionary is the span's own and already clean.

    def put(self, attributes: dict[str, Any]) -> Any:
        """Adds attributes that are known to be valid (made by our conventions); limits still hold."""
        if not self.recording or self.ended:
            return None
        if self.attribute_values is None:
            self.attribute_values = attributes
        else:
            self.attribute_values.update(attributes)
        if len(self.attribute_values) > self.engine.attribute_count_limit or self.engine.attribute_length_limit >= 0:
            self.attribute_values = self.engine.clean(self.attribute_values, self.engine.attribute_count_limit)
            self.dropped_attributes_count += self.engine.dropped_now
        return None

    def finish(self, end_ns: cython.ulonglong) -> Any:
        """Ends the span at ``end_ns`` (0: now) and hands it on."""
        if self.ended or not self.recording:
            return None
        engine: Engine = self.engine
        if end_ns == 0:
            if self.anchor_ns:
                end_ns = _steady_ns() + self.anchor_ns
            else:
                end_ns = _wall_ns()
            end_ns = max(end_ns, self.start_ns)
        self.end_ns = end_ns
        if engine.processors is not None:
            engine.processors.on_ending(self)
        self.ended = True
        engine.finished += 1
        if self.flags & SAMPLED and engine.deliver is not None:
            try:
                engine.deliver(self)
            except Exception as error:
                _bridge.undelivered(engine, error)
        if engine.processors is not None:
            engine.processors.on_end(self)
        return None

    # opentelemetry.trace.Span

    def get_span_context(self) -> Any:
        """The OpenTelemetry SpanContext of this span."""
        if self.context_object is None:
            self.context_object = _bridge.span_context(self)
        return self.context_object

    def is_recording(self) -> bool:
        """Whether attributes, events and status are still taken."""
        return self.recording and not self.ended

    def set_attribute(self, key: Any, value: Any) -> None:
        """Sets one attribute; values outside OpenTelemetry's types become their ``str``."""
        if not self.recording or self.ended:
            return
        engine: Engine = self.engine
        if type(key) is not str:
            if not isinstance(key, str):
                self.dropped_attributes_count += 1
                return
            key = str.__str__(key)
        if not key:
            self.dropped_attributes_count += 1
            return
        kind = type(value)
        if not (
            kind is int
            or kind is bool
            or kind is float
            or (kind is str and (engine.attribute_length_limit < 0 or len(value) <= engine.attribute_length_limit))
        ):
            value = engine.clean_value(value, 0)
        if self.attribute_values is None:
            if engine.attribute_count_limit == 0:
                self.dropped_attributes_count += 1
                return
            self.attribute_values = {key: value}
            return
        if len(self.attribute_values) >= engine.attribute_count_limit and key not in self.attribute_values:
            self.dropped_attributes_count += 1
            return
        self.attribute_values[key] = value

    def set_attributes(self, attributes: Any) -> None:
        """Sets each attribute of the mapping."""
        for key, value in attributes.items():
            self.set_attribute(key, value)

    def add_event(self, name: Any, attributes: Any = None, timestamp: Any = None) -> None:
        """Adds an event at ``timestamp`` (Unix ns; now when None)."""
        if not self.recording or self.ended:
            return
        engine: Engine = self.engine
        if self.event_records is None:
            self.event_records = []
        if len(self.event_records) >= engine.event_count_limit:
            self.dropped_events_count += 1
            return
        dropped = 0
        values = None
        if attributes:
            values = engine.clean(attributes, engine.event_attribute_count_limit)
            dropped = engine.dropped_now
        moment = _bridge.whole(timestamp) if timestamp is not None else _wall_ns()
        self.event_records.append((_text(name), moment & MASK64, values, dropped))

    def add_link(self, context: Any, attributes: Any = None) -> None:
        """Links another span's context."""
        if not self.recording or self.ended:
            return
        record = self.engine.link(context, attributes)
        if record is not None:
            if self.link_records is None:
                self.link_records = []
            if len(self.link_records) >= self.engine.link_count_limit:
                self.dropped_links_count += 1
            else:
                self.link_records.append(record)

    def update_name(self, name: Any) -> None:
        """Renames the span."""
        if self.recording and not self.ended:
            self.span_name = _text(name)

    def set_status(self, status: Any, description: Any = None) -> None:
        """Takes a Status or a StatusCode; OK is final, UNSET is ignored, a description only counts with ERROR."""
        if not self.recording or self.ended or self.status_code == 1:
            return
        code = getattr(status, "status_code", None)
        if code is not None:
            description = status.description
        else:
            code = status
        number = getattr(code, "value", None)
        if number != 1 and number != 2:
            return
        self.status_code = number
        self.status_message = _text(description) if number == 2 and description is not None else None

    def record_exception(
        self, exception: Any, attributes: Any = None, timestamp: Any = None, escaped: Any = False
    ) -> None:
        """Adds the event ``exception`` with type, message and stack trace, secrets redacted."""
        if not self.recording or self.ended:
            return
        if not isinstance(exception, BaseException):
            return
        values = _bridge.exception_attributes(exception, escaped, self.engine.redact)
        if attributes:
            values.update(attributes)
        self.add_event("exception", values, timestamp)

    def record_failure(self, exception: BaseException, redact_message: Callable[[str], str] | None) -> None:
        """``record_exception`` for calls whose convention redacts the message by rules of its own."""
        self.add_event("exception", _bridge.exception_attributes(exception, False, self.engine.redact, redact_message))

    def end(self, end_time: Any = None) -> None:
        """Ends the span (Unix ns; now when None). A second end is ignored."""
        self.finish(_bridge.whole(end_time) & MASK64 if end_time is not None else 0)

    def __enter__(self) -> Span:
        return self

    def __exit__(self, exc_type: Any, exc: Any, traceback: Any) -> None:
        if exc is not None and self.recording and not self.ended:
            self.note_exception(exc, True)
        self.finish(0)

    def note_exception(self, exc: BaseException, escaped: bool) -> None:
        """What a ``with`` block does with the exception that leaves it."""
        if not self.quiet_exceptions:
            self.record_exception(exc, None, None, escaped)
        if not self.keep_status and self.status_code != 1:
            self.status_code = 2
            self.status_message = _bridge.status_description(exc, self.engine.redact)

    # opentelemetry.sdk.trace.ReadableSpan: objects are made on demand.

    @property
    def name(self) -> str:
        return self.span_name

    @property
    def context(self) -> Any:
        return self.get_span_context()

    @property
    def kind(self) -> Any:
        return _bridge.kind(self)

    @property
    def parent(self) -> Any:
        return _bridge.parent(self)

    @property
    def start_time(self) -> int | None:
        return self.start_ns or None

    @property
    def end_time(self) -> int | None:
        return self.end_ns if self.ended else None

    @property
    def status(self) -> Any:
        return _bridge.status(self)

    @property
    def attributes(self) -> Any:
        return _bridge.attributes(self)

    @property
    def events(self) -> Any:
        return _bridge.events(self)

    @property
    def links(self) -> Any:
        return _bridge.links(self)

    @property
    def resource(self) -> Any:
        return _bridge.resource(self)

    @property
    def instrumentation_scope(self) -> Any:
        return _bridge.instrumentation_scope(self)

    @property
    def instrumentation_info(self) -> Any:
        return _bridge.instrumentation_scope(self)

    @property
    def dropped_attributes(self) -> int:
        return self.dropped_attributes_count

    @property
    def dropped_events(self) -> int:
        return self.dropped_events_count

    @property
    def dropped_links(self) -> int:
        return self.dropped_links_count

    def to_json(self, indent: Any = 4) -> Any:
        """The SDK's JSON form."""
        return _bridge.sdk_span(self).to_json(indent)

    def _readable_span(self) -> Any:
        return _bridge.sdk_span(self)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        # An isinstance check against the SDK's classes must hold, but only once the SDK is there.
        return _bridge.reported_class(Span)

    def __getattr__(self, name: str) -> Any:
        # What code that reaches into the SDK's spans looks for: _attributes, _name, _parent, ...
        return _bridge.private(self, name)

    def __repr__(self) -> str:
        return f"Span({self.span_name!r}, {self.trace_hi:016x}{self.trace_lo:016x}, {self.span_id:016x})"


@cython.cfunc
def _text(value: object) -> str:
    if type(value) is str:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    return str(value)


@cython.cfunc
def _kind_code(kind: object) -> cython.int:
    number = getattr(kind, "_value_", kind)
    if type(number) is int and 0 <= number <= 4:
        return number
    return 0


@cython.final
@cython.cclass
class Engine:
    """Starts and ends spans for one process: ids, sampling, limits, and where finished spans go.

    ``deliver`` takes each finished sampled span. Limits below zero mean none (for counts: a very large number).
    """

    if not cython.compiled:
        deliver: Callable[[Span], object] | None
        processors: Any
        sampler: Callable[..., tuple[bool, bool, Any, str]] | None
        id_generator: Any
        redact: Callable[[str], str] | None
        resource: Any
        random_bits: Callable[[int], int]
        dropped_now: int
        undelivered: int

    def __init__(self) -> None:
        self.deliver = None
        self.processors = None
        self.sampler = None
        self.id_generator = None
        self.redact = None
        self.resource = None
        self.root_mode = ON
        self.child_mode = FOLLOW_PARENT
        self.ratio_bound = 0
        self.attribute_count_limit = 128
        self.attribute_length_limit = -1
        self.event_count_limit = 128
        self.link_count_limit = 128
        self.event_attribute_count_limit = 128
        self.link_attribute_count_limit = 128
        self.started = 0
        self.finished = 0
        self.dropped_now = 0
        self.undelivered = 0
        self.root_flags = RANDOM
        self.reseed()

    def reseed(self) -> None:
        """Fresh random state: at start and in every forked child, so that ids never repeat across processes."""
        if cython.compiled:
            seed = os.urandom(32)
            self.s0 = int.from_bytes(seed[0:8], "little") | 1
            self.s1 = int.from_bytes(seed[8:16], "little")
            self.s2 = int.from_bytes(seed[16:24], "little")
            self.s3 = int.from_bytes(seed[24:32], "little")
        else:
            self.random_bits = Random(int.from_bytes(os.urandom(32), "little")).getrandbits

    if cython.compiled:

        def next_id(self) -> int:  # xoshiro256++
            result: uint64_t = _rotate(self.s0 + self.s3, 23) + self.s0
            shifted: uint64_t = self.s1 << 17
            self.s2 ^= self.s0
            self.s3 ^= self.s1
            self.s1 ^= self.s2
            self.s0 ^= self.s3
            self.s2 ^= shifted
            self.s3 = _rotate(self.s3, 45)
            return result if result != 0 else self.next_id()

    else:

        def next_id(self) -> int:
            return self.random_bits(64) or self.next_id()

    def begin(
        self,
        scope: Scope,
        name: str,
        kind: cython.int,
        frame: Frame,
        attributes: dict[str, Any] | None,
        links: list[Any] | None,
        start_ns: cython.ulonglong,
    ) -> Span:
        """Starts a span whose parent is the frame's span.

        ``attributes`` (clean, or None) belong to the span from now on; ``start_ns`` 0 means now.
        """
        span: Span = Span.__new__(Span)
        if not cython.compiled:
            span.__init__()  # type: ignore[misc]
        span.engine = self
        span.scope = scope
        span.span_name = name
        span.kind_code = kind
        span.tracestate = ""
        parent: Span | None = None
        if frame.span is not None:
            if type(frame.span) is Span:
                parent = frame.span
            else:
                parent = _bridge.from_foreign(frame.span)
            if parent is not None and ((parent.trace_hi == 0 and parent.trace_lo == 0) or parent.span_id == 0):
                parent = None
        mode: cython.int
        if self.id_generator is not None:
            self._foreign_ids(span, parent)
        else:
            span.span_id = self.next_id()
            if parent is None:
                span.trace_hi = self.next_id()
                span.trace_lo = self.next_id()
        if parent is None:
            mode = self.root_mode
            span.flags = self.root_flags
        else:
            span.trace_hi = parent.trace_hi
            span.trace_lo = parent.trace_lo
            span.parent_id = parent.span_id
            span.parent_remote = parent.remote
            span.tracestate = parent.tracestate
            span.flags = parent.flags & RANDOM
            if parent.silent:
                span.silent = True
                return span
            mode = self.child_mode
        if mode == FOLLOW_PARENT:
            if parent is not None:
                span.flags |= parent.flags & SAMPLED
        elif mode == ON:
            span.flags |= SAMPLED
        elif mode == RATIO:
            if span.trace_lo < self.ratio_bound:
                span.flags |= SAMPLED
        elif mode == CUSTOM:
            attributes = self._ask_sampler(span, frame, attributes, links)
        span.recording = span.recording or (span.flags & SAMPLED) != 0
        if not span.recording:
            return span
        self.started += 1
        if start_ns:
            span.start_ns = start_ns
        elif parent is not None and parent.anchor_ns:
            span.anchor_ns = parent.anchor_ns
            span.start_ns = _steady_ns() + span.anchor_ns
        else:
            span.start_ns = _wall_ns()
            span.anchor_ns = span.start_ns - _steady_ns()
        if attributes is not None:
            if len(attributes) > self.attribute_count_limit or self.attribute_length_limit >= 0:
                attributes = self.clean(attributes, self.attribute_count_limit)
                span.dropped_attributes_count = self.dropped_now
            span.attribute_values = attributes
        if links is not None:
            if len(links) > self.link_count_limit:
                span.dropped_links_count = len(links) - self.link_count_limit
                links = links[: self.link_count_limit]
            span.link_records = links
        if self.processors is not None:
            self.processors.on_start(span, frame)
        return span

    def silence(self, around: Any) -> Span:
        """A span that is not recorded, nor is anything below it, in the trace of ``around`` if there is one."""
        known = _bridge.from_foreign(around) if around is not None else None
        parent: Span
        if known is not None and (known.trace_hi or known.trace_lo) and known.span_id:
            parent = context_span(known.trace_hi, known.trace_lo, known.span_id, 0, known.tracestate, known.remote)
        else:
            parent = context_span(self.next_id(), self.next_id(), self.next_id(), 0, "", False)
        parent.silent = True
        nobody: Any = None  # no scope is to be told of it
        return self.begin(nobody, "", 0, Frame(parent), None, None, 0)

    def _foreign_ids(self, span: Span, parent: Span | None) -> None:
        span.span_id = _bridge.whole(self.id_generator.generate_span_id()) & MASK64
        if parent is None:
            trace_id = _bridge.whole(self.id_generator.generate_trace_id())
            span.trace_hi = (trace_id >> 64) & MASK64
            span.trace_lo = trace_id & MASK64

    def _ask_sampler(
        self, span: Span, frame: Frame, attributes: dict[str, Any] | None, links: list[Any] | None
    ) -> dict[str, Any] | None:
        # sampler(span, frame, attributes, links) -> (sampled, recording, attributes, tracestate)
        ask: Any = self.sampler
        answer = ask(span, frame, attributes, links)
        if answer[0]:
            span.flags |= SAMPLED
        span.recording = bool(answer[1])
        span.tracestate = answer[3]
        if answer[2] is None or answer[2] is attributes:
            return attributes
        return self.clean(answer[2], self.attribute_count_limit)

    def clean(self, attributes: Any, count_limit: cython.longlong) -> dict[str, Any]:
        """A dictionary of valid attributes; ``dropped_now`` says how many were left out."""
        result: dict[str, Any] = {}
        self.dropped_now = 0
        limit: cython.longlong = self.attribute_length_limit
        if type(attributes) is dict and limit < 0 and len(attributes) <= count_limit:
            plain: dict[str, Any] = attributes
            if _is_plain(plain):
                return plain.copy()
        for key, value in attributes.items():
            if type(key) is not str:
                if not isinstance(key, str):
                    self.dropped_now += 1
                    continue
                key = str.__str__(key)
            if not key or (len(result) >= count_limit and key not in result):
                self.dropped_now += 1
                continue
            kind = type(value)
            if (kind is str and limit < 0) or kind is int or kind is bool or kind is float:
                result[key] = value
            else:
                result[key] = self.clean_value(value, 0)
        return result

    def clean_value(self, value: Any, depth: cython.int) -> Any:
        if value is None or type(value) is bool:
            return value
        if isinstance(value, str):
            text = str.__str__(value)
            if 0 <= self.attribute_length_limit < len(text):
                return text[: self.attribute_length_limit]
            return text
        if isinstance(value, bool):
            return bool(value)
        if isinstance(value, int):
            return int.__int__(value)
        if isinstance(value, float):
            return float.__float__(value)
        if isinstance(value, bytes):
            return bytes(value)
        if depth < 16:
            if isinstance(value, (list, tuple)):
                return tuple([self.clean_value(item, depth + 1) for item in value])
            if isinstance(value, dict):
                mapping = {}
                for key, item in value.items():
                    if key:
                        mapping[_text(key)] = self.clean_value(item, depth + 1)
                return mapping
        return _bridge.unusual_value(value, self, depth)

    def tidy(self, value: Any, depth: int) -> Any:
        """``clean_value`` for Python callers."""
        return self.clean_value(value, depth)

    def link(self, context: Any, attributes: Any) -> tuple[Any, ...] | None:
        """A link record of an OpenTelemetry SpanContext, None when it is no context or an empty one."""
        values = None
        dropped = 0
        if attributes:
            values = self.clean(attributes, self.link_attribute_count_limit)
            dropped = self.dropped_now
        return _bridge.link_record(context, values, dropped)

    def links(self, links: Sequence[Any]) -> list[Any] | None:
        """Link records of OpenTelemetry Links."""
        records = []
        for link in links:
            record = self.link(getattr(link, "context", None), getattr(link, "attributes", None))
            if record is not None:
                records.append(record)
        return records or None


@cython.cfunc
def _is_plain(attributes: dict[str, Any]) -> cython.bint:
    """Whether there is nothing to clean: named, and of the simplest types, as nearly all attributes are."""
    for key, value in attributes.items():
        if type(key) is not str or not key:
            return False
        kind = type(value)
        if not (kind is str or kind is int or kind is bool or kind is float):
            return False
    return True


@cython.final
@cython.cclass
class Tracer:
    """OpenTelemetry's Tracer for one instrumentation scope."""

    if not cython.compiled:
        delegate: Any

    def __init__(self, engine: Engine, scope: Scope) -> None:
        self.engine = engine
        self.scope = scope
        # The tracer of a provider that the program set after it got this one.
        self.delegate = None

    def start_span(
        self,
        name: Any,
        context: Any = None,
        kind: Any = None,
        attributes: Any = None,
        links: Any = (),
        start_time: Any = None,
        record_exception: Any = True,
        set_status_on_exception: Any = True,
    ) -> Any:
        """Starts a span that is not made current; arguments as in ``opentelemetry.trace.Tracer``."""
        if self.delegate is not None:
            return self.delegate.start_span(
                name, context, _bridge.span_kind(kind), attributes, links, start_time,
                record_exception, set_status_on_exception,
            )  # fmt: skip
        engine: Engine = self.engine
        frame: Frame = current() if context is None else _bridge.attached(context, current())
        values: dict[str, Any] | None = None
        dropped = 0
        if attributes:
            values = engine.clean(attributes, engine.attribute_count_limit)
            dropped = engine.dropped_now
        span: Span = engine.begin(
            self.scope,
            _text(name),
            _kind_code(kind) if kind is not None else 0,
            frame,
            values,
            engine.links(links) if links else None,
            _bridge.whole(start_time) & MASK64 if start_time is not None else 0,
        )
        if dropped:
            span.dropped_attributes_count += dropped
        span.quiet_exceptions = not record_exception
        span.keep_status = not set_status_on_exception
        return span

    def start_as_current_span(
        self,
        name: Any,
        context: Any = None,
        kind: Any = None,
        attributes: Any = None,
        links: Any = (),
        start_time: Any = None,
        record_exception: Any = True,
        set_status_on_exception: Any = True,
        end_on_exit: Any = True,
    ) -> Any:
        """A context manager (and decorator) that starts a span, makes it current, and ends it."""
        if self.delegate is not None:
            return self.delegate.start_as_current_span(
                name, context, _bridge.span_kind(kind), attributes, links, start_time,
                record_exception, set_status_on_exception, end_on_exit,
            )  # fmt: skip
        scope: SpanScope = SpanScope.__new__(SpanScope)
        scope.tracer = self
        scope.arguments = (
            name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception,
        )  # fmt: skip
        scope.end_on_exit = end_on_exit
        return scope


@cython.final
@cython.freelist(32)
@cython.cclass
class SpanScope:
    """The ``with tracer.start_as_current_span(...)`` block; one object serves one block at a time."""

    if not cython.compiled:
        tracer: Tracer
        arguments: tuple[Any, ...]
        span: Span
        frame: Frame
        token: Any
        end_on_exit: bool

    def __enter__(self) -> Span:
        arguments = self.arguments
        span: Span = self.tracer.start_span(
            arguments[0], arguments[1], arguments[2], arguments[3],
            arguments[4], arguments[5], arguments[6], arguments[7],
        )  # fmt: skip
        base: Frame = current() if arguments[1] is None else _bridge.attached(arguments[1], current())
        self.span = span
        self.frame = base.child(span)
        self.token = push(self.frame)
        return span

    def __exit__(self, exc_type: Any, exc: Any, traceback: Any) -> None:
        span = self.span
        pop(self.token, self.frame)
        # Like the reference: exceptions outside Exception (GeneratorExit, SystemExit) are no errors.
        if exc is not None and isinstance(exc, Exception) and span.recording and not span.ended:
            span.note_exception(exc, False)
        if self.end_on_exit:
            span.finish(0)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorates a function or a coroutine function: each call runs in a span of its own."""
        return _bridge.decorated(self, function)

    def again(self) -> SpanScope:
        """A fresh block with the same arguments."""
        scope: SpanScope = SpanScope.__new__(SpanScope)
        scope.tracer = self.tracer
        scope.arguments = self.arguments
        scope.end_on_exit = self.end_on_exit
        return scope


def context_span(trace_hi: int, trace_lo: int, span_id: int, flags: int, tracestate: str, remote: bool) -> Span:
    """A span that only carries a context: a remote parent, or a foreign span seen through our eyes."""
    span: Span = Span.__new__(Span)
    if not cython.compiled:
        span.__init__()  # type: ignore[misc]
    span.trace_hi = trace_hi
    span.trace_lo = trace_lo
    span.span_id = span_id
    span.flags = flags
    span.tracestate = tracestate
    span.span_name = ""
    span.remote = remote
    return span


def blank_span(**fields: Any) -> Span:
    """A span record with the given fields set (for encoders' tests and for replaying stored spans)."""
    span: Span = Span.__new__(Span)
    if not cython.compiled:
        span.__init__()  # type: ignore[misc]
    span.span_name = ""
    span.tracestate = ""
    for name, value in fields.items():
        setattr(span, name, value)
    return span
