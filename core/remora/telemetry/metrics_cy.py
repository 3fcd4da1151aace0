"""The hot core of metrics: from a measurement to the point it counts in.

One source, compiled or not (``COMPILED`` tells). A point is found by the tuple of its attribute values, None where an
attribute is absent. Compiled, nothing between finding a point and counting in it runs Python code, which makes a
measurement atomic under the GIL; the plain twin takes a lock.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from remora import _cython as cython  # type: ignore[no-redef]

if cython.compiled:
    from cython.cimports.cpython.ref import Py_INCREF
    from cython.cimports.cpython.tuple import PyTuple_New, PyTuple_SET_ITEM
    from cython.cimports.libc.stdlib import calloc, free
    from cython.cimports.posix.time import CLOCK_REALTIME, clock_gettime, timespec
    from cython.cimports.remora.telemetry.spans_cy import Span
else:
    from _bisect import bisect_left
    from _thread import RLock
    from time import time_ns

    from remora.telemetry.spans_cy import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

COMPILED = cython.compiled
MOST_BOUNDARIES = 31
SAMPLED = 1

# Which measurements may leave an exemplar: none, those inside a sampled span, all.
ALWAYS_OFF, TRACE_BASED, ALWAYS_ON = 0, 1, 2

# The key of the point that takes what is beyond the cardinality limit.
OVERFLOW = "overflow"

Exemplar = tuple[float, int, int, int, int]  # value, Unix ns, trace id (high, low), span id; ids 0 for none


@cython.final
@cython.cclass
class Ledger:
    """What all instruments of a process share.

    ``changed`` tells that something was measured since it was last set to False; ``on_change()`` is called the first
    time. ``limit`` is the most points of one instrument, ``examples`` which measurements leave an exemplar.
    """

    if not cython.compiled:
        changed: bool
        on_change: Callable[[], object] | None
        examples: int
        limit: int

    def __init__(
        self, examples: int = TRACE_BASED, limit: int = 2000, on_change: Callable[[], object] | None = None
    ) -> None:
        self.changed = False
        self.examples = examples
        self.limit = limit
        self.on_change = on_change

    def note(self) -> Any:
        """Something was measured, for the first time since the last collection."""
        self.changed = True
        if self.on_change is not None:
            self.on_change()
        return None


if cython.compiled:

    @cython.cfunc
    def _wall_ns() -> cython.ulonglong:
        moment: timespec
        clock_gettime(CLOCK_REALTIME, cython.address(moment))
        return cython.cast(cython.ulonglong, moment.tv_sec) * 1000000000 + moment.tv_nsec

else:
    _wall_ns = time_ns


if cython.compiled:

    @cython.cfunc
    def _examples(buckets: cython.size_t) -> cython.pointer[Example]:  # type: ignore[name-defined]
        return cython.cast(cython.pointer[Example], calloc(buckets, cython.sizeof(Example)))  # type: ignore[name-defined]


def key_of(keys: tuple, first: dict[str, Any], second: dict[str, Any]) -> Any:  # type: ignore[type-arg]
    """The point's key: each attribute's value from ``first``, or else from ``second``; None where neither has it."""
    if cython.compiled:
        size: cython.Py_ssize_t = len(keys)
        found: tuple = PyTuple_New(size)  # type: ignore[type-arg]
        at: cython.Py_ssize_t
        if not first:
            first = second  # most calls that succeed have nothing to add at their end
        for at in range(size):
            value: object = _value(keys[at], first, second)
            Py_INCREF(value)
            PyTuple_SET_ITEM(found, at, value)
        return found
    return tuple([_value(key, first, second) for key in keys])


@cython.cfunc
@cython.inline
def _value(key: Any, first: dict[str, Any], second: dict[str, Any]) -> object:
    value: object = first.get(key)
    if value is None and first is not second:
        value = second.get(key)
    kind = type(value)
    # What a program set on its span instead may be anything; a key must be cheap and safe to hash.
    if value is None or kind is str or kind is int or kind is bool or kind is float:
        return value
    return str(value)


@cython.final
@cython.no_gc
@cython.cclass
class HistogramPoint:
    """What was measured with one set of attribute values. No exemplars: ``examples`` is NULL (plain: None)."""

    if not cython.compiled:
        count: int
        total: float
        least: float
        most: float
        counts: list[int]
        examples: Any  # bucket -> Exemplar

        def __init__(self) -> None:
            self.count = 0
            self.total = self.least = self.most = 0.0
            self.counts = [0] * (MOST_BOUNDARIES + 1)
            self.examples = None

    if cython.compiled:

        def __dealloc__(self) -> None:
            free(self.examples)

    def bucket_counts(self, size: int) -> list[int]:
        """How many measurements fell into each of the first ``size`` buckets."""
        return [self.counts[index] for index in range(size)]

    def exemplars(self, size: int) -> list[Exemplar]:
        """The newest exemplar of each bucket that has one."""
        if cython.compiled:
            if self.examples == cython.NULL:
                return []
            return [
                (
                    self.examples[index].value,
                    self.examples[index].time_ns,
                    self.examples[index].trace_hi,
                    self.examples[index].trace_lo,
                    self.examples[index].span_id,
                )
                for index in range(size)
                if self.examples[index].time_ns
            ]
        return [self.examples[index] for index in sorted(self.examples)] if self.examples else []

    def cut(self) -> HistogramPoint:
        """A copy of this moment, which takes the exemplars along."""
        copy: HistogramPoint = HistogramPoint.__new__(HistogramPoint)
        if not cython.compiled:
            copy.__init__()  # type: ignore[misc]
        copy.count = self.count
        copy.total = self.total
        copy.least = self.least
        copy.most = self.most
        copy.counts = self.counts
        copy.examples = self.examples
        if cython.compiled:
            self.examples = cython.NULL
        else:
            copy.counts = list(self.counts)
            self.examples = None
        return copy


@cython.final
@cython.cclass
class Histogram:
    """Explicit buckets: bucket ``i`` holds what is above boundary ``i - 1`` and not above boundary ``i``."""

    if not cython.compiled:
        ledger: Ledger
        points: dict[Any, HistogramPoint]
        keys: tuple[str, ...]
        boundaries: tuple[float, ...]
        bounds: Any  # as C doubles, compiled only
        lock: Any

    def __init__(self, ledger: Ledger, keys: tuple[str, ...], boundaries: tuple[float, ...]) -> None:
        if len(boundaries) > MOST_BOUNDARIES:
            raise ValueError(f"a histogram has at most {MOST_BOUNDARIES} boundaries, not {len(boundaries)}")
        self.ledger = ledger
        self.keys = keys
        self.boundaries = boundaries
        self.points = {}
        if cython.compiled:
            self.size = len(boundaries)
            index: cython.int
            for index in range(self.size):
                self.bounds[index] = boundaries[index]
        else:
            self.lock = RLock()  # reentrant: a signal handler or a finaliser may measure at any point

    def record(self, key: Any, value: cython.double, span: Span | None) -> Any:
        """Counts one measurement of what is no negative number; ``span``, if any, is where it was made."""
        if not value >= 0.0:
            return None
        if cython.compiled:
            self.count_in(self.opened(key), value, span)
        else:
            with self.lock:
                self.count_in(self.opened(key), value, span)
        if not self.ledger.changed:
            self.ledger.note()
        return None

    def opened(self, key: Any) -> HistogramPoint:
        point: Any = self.points.get(key)
        if point is None:
            if len(self.points) >= self.ledger.limit - 1:
                key = OVERFLOW  # it may be there already
                point = self.points.get(key)
            if point is None:
                point = HistogramPoint.__new__(HistogramPoint)
                if not cython.compiled:
                    point.__init__()
                self.points[key] = point
        return point

    def count_in(self, point: HistogramPoint, value: cython.double, span: Span | None) -> cython.int:
        index: cython.int = 0
        if cython.compiled:
            while index < self.size and value > self.bounds[index]:
                index += 1
        else:
            index = bisect_left(self.boundaries, value)
        if point.count == 0 or value < point.least:
            point.least = value
        if point.count == 0 or value > point.most:
            point.most = value
        point.count += 1
        point.total += value
        point.counts[index] += 1
        mode: cython.int = self.ledger.examples
        if mode == ALWAYS_OFF or (mode == TRACE_BASED and (span is None or not span.flags & SAMPLED)):
            return 0
        if cython.compiled:
            if point.examples == cython.NULL:
                point.examples = _examples(self.size + 1)
                if point.examples == cython.NULL:
                    return 0
            point.examples[index].value = value
            if span is None:
                point.examples[index].trace_hi = point.examples[index].trace_lo = 0
                point.examples[index].span_id = 0
                point.examples[index].time_ns = _wall_ns()
            else:
                point.examples[index].trace_hi = span.trace_hi
                point.examples[index].trace_lo = span.trace_lo
                point.examples[index].span_id = span.span_id
                point.examples[index].time_ns = span.end_ns or _wall_ns()
        else:
            if point.examples is None:
                point.examples = {}
            point.examples[index] = (
                (value, _wall_ns(), 0, 0, 0)
                if span is None
                else (value, span.end_ns or _wall_ns(), span.trace_hi, span.trace_lo, span.span_id)
            )
        return 0

    def collect(self, delta: bool) -> list[tuple[Any, HistogramPoint]]:
        """Every key with what its point holds at this moment; with ``delta`` everything begins anew."""
        if cython.compiled:
            return self._collected(delta)
        with self.lock:
            return self._collected(delta)

    def _collected(self, delta: bool) -> list[tuple[Any, HistogramPoint]]:
        if delta:
            fresh: dict[Any, HistogramPoint] = {}
            taken = self.points
            self.points = fresh
            return list(taken.items())
        return [(key, point.cut()) for key, point in list(self.points.items())]

    def forget(self) -> None:
        """In a forked child: what was measured is the parent's, whose other threads may have held the lock."""
        if not cython.compiled:
            self.lock = RLock()
        self.points = {}


@cython.final
@cython.no_gc
@cython.cclass
class SumPoint:
    """The sum of what was added with one set of attribute values."""

    if not cython.compiled:
        value: int

        def __init__(self) -> None:
            self.value = 0


@cython.final
@cython.cclass
class Sum:
    """A counter of whole numbers (``monotonic``), or an up-down counter."""

    if not cython.compiled:
        ledger: Ledger
        points: dict[Any, SumPoint]
        keys: tuple[str, ...]
        monotonic: bool
        lock: Any

    def __init__(self, ledger: Ledger, keys: tuple[str, ...], monotonic: bool) -> None:
        self.ledger = ledger
        self.keys = keys
        self.monotonic = monotonic
        self.points = {}
        if not cython.compiled:
            self.lock = RLock()

    def add(self, key: Any, amount: cython.longlong) -> SumPoint:
        """Adds to the point of ``key`` and returns it, so that what went up can go down without looking for it."""
        if cython.compiled:
            point: SumPoint = self.opened(key)
            point.value += amount
        else:
            with self.lock:
                point = self.opened(key)
                point.value += amount
        if not self.ledger.changed:
            self.ledger.note()
        return point

    def adjust(self, point: SumPoint, amount: cython.longlong) -> Any:
        """Adds to a point that ``add`` returned; one that was forgotten since (by a forked child) harms nobody."""
        if cython.compiled:
            point.value += amount
        else:
            with self.lock:
                point.value += amount
        if not self.ledger.changed:
            self.ledger.note()
        return None

    def opened(self, key: Any) -> SumPoint:
        point: Any = self.points.get(key)
        if point is None:
            if len(self.points) >= self.ledger.limit - 1:
                key = OVERFLOW
                point = self.points.get(key)
            if point is None:
                point = SumPoint.__new__(SumPoint)
                if not cython.compiled:
                    point.__init__()
                self.points[key] = point
        return point

    def collect(self, delta: bool) -> list[tuple[Any, int]]:
        """Every key with its sum at this moment; with ``delta``, which only a monotonic sum has, they begin anew."""
        if cython.compiled:
            return self._collected(delta)
        with self.lock:
            return self._collected(delta)

    def _collected(self, delta: bool) -> list[tuple[Any, int]]:
        taken = self.points
        if delta and self.monotonic:
            fresh: dict[Any, SumPoint] = {}
            taken = self.points
            self.points = fresh
        return [(key, point.value) for key, point in list(taken.items())]

    def forget(self) -> None:
        """In a forked child, as for ``Histogram``."""
        if not cython.compiled:
            self.lock = RLock()
        self.points = {}
