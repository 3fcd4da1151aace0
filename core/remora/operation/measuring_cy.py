"""What is measured of a call: its duration when it ends, and how many are under way. Sampled or not.

Compiled when it can be; the same source either way. The attributes are those of the call's span.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from remora import _cython as cython  # type: ignore[no-redef]

if cython.compiled:
    from cython.cimports.posix.time import CLOCK_MONOTONIC, clock_gettime, timespec
    from cython.cimports.remora.telemetry.metrics_cy import Histogram, Sum, SumPoint, key_of
    from cython.cimports.remora.telemetry.spans_cy import Span
else:
    from time import monotonic_ns

    from remora.telemetry.metrics_cy import Histogram, Sum, SumPoint, key_of
    from remora.telemetry.spans_cy import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from remora.telemetry.metering import Metering
    from remora.telemetry.scope import Scope

COMPILED = cython.compiled

if cython.compiled:

    @cython.cfunc
    def _steady_ns() -> cython.longlong:
        moment: timespec
        clock_gettime(CLOCK_MONOTONIC, cython.address(moment))
        return cython.cast(cython.longlong, moment.tv_sec) * 1000000000 + moment.tv_nsec

else:
    _steady_ns = monotonic_ns


@cython.final
@cython.cclass
class Measuring:
    """The instruments of one instrumentation; nearly all have calls of one convention only."""

    if not cython.compiled:
        metering: Metering
        scope: Scope
        duration_metric: Any
        active_metric: Any
        duration: Histogram | None
        active: Sum | None

    def __init__(self, metering: Metering, scope: Scope) -> None:
        self.metering = metering
        self.scope = scope
        self.duration_metric = self.active_metric = None
        self.duration = self.active = None

    def begin(self, call: Any, attributes: dict[str, Any], span: Span) -> Measured | None:
        """A call has begun with these attributes; None when its convention measures nothing."""
        duration = call.duration
        if duration is None:
            return None
        if duration is not self.duration_metric:
            self.prepare(duration, call.active)
        measured: Measured = Measured.__new__(Measured)
        if not cython.compiled:
            measured.point = None
        measured.duration = self.duration
        measured.active = self.active
        measured.started = attributes
        measured.began_ns = 0 if span.recording else _steady_ns()
        if self.active is not None:
            measured.point = self.active.add(key_of(self.active.keys, attributes, attributes), 1)
        return measured

    def prepare(self, duration: Any, active: Any) -> Any:
        self.duration = self.metering.histogram(
            self.scope, duration.name, duration.unit, duration.description, duration.keys, duration.boundaries
        )
        self.active = None
        if active is not None:
            self.active = self.metering.counter(
                self.scope, active.name, active.unit, active.description, active.keys, monotonic=False
            )
        self.duration_metric = duration
        return None

    def count(self, metric: Any, started: dict[str, Any], ended: dict[str, Any], amount: Any) -> Any:
        """Adds to a counter; its attributes are those of the call's span."""
        counter: Sum = self.metering.counter(
            self.scope, metric.name, metric.unit, metric.description, metric.keys, monotonic=True
        )
        counter.add(key_of(counter.keys, ended, started), amount)
        return None


@cython.final
@cython.freelist(32)
@cython.cclass
class Measured:
    """One call that is being measured."""

    if not cython.compiled:
        duration: Histogram
        active: Any  # the Sum, if there is a point of it
        point: SumPoint | None
        started: dict[str, Any]
        began_ns: int

    def over(self) -> Any:
        """The call is no longer under way; a second time does nothing."""
        point = self.point
        if point is not None:
            self.point = None
            self.active.adjust(point, -1)
        return None

    def end(self, span: Span, ended: dict[str, Any]) -> Any:
        """The call's span has ended, with these attributes beside those of its start."""
        took_ns: cython.longlong
        if self.began_ns:
            took_ns = _steady_ns() - self.began_ns
        else:
            took_ns = span.end_ns - span.start_ns
        key = key_of(self.duration.keys, ended, self.started)
        self.duration.record(key, took_ns / 1e9, span)
        return None
