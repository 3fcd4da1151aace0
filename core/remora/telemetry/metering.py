"""The instruments of a process: one per metric and scope, whoever asks, and what they hold when it is to be sent."""

from __future__ import annotations

from time import time_ns

from remora.telemetry import points as collected
from remora.telemetry.metrics_cy import ALWAYS_OFF, ALWAYS_ON, OVERFLOW, TRACE_BASED, Histogram, Ledger, Sum
from remora.telemetry.names import METRIC_OVERFLOW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from remora.telemetry.metrics_cy import HistogramPoint
    from remora.telemetry.scope import Scope

EXEMPLARS = {"always_off": ALWAYS_OFF, "trace_based": TRACE_BASED, "always_on": ALWAYS_ON}
# Nothing is delta but what is wanted so; an up-down counter never is.
_DELTA = {"cumulative": False, "delta": True, "lowmemory": True}


class _Stream:
    __slots__ = ("description", "instrument", "name", "scope", "since_ns", "unit")

    def __init__(
        self, scope: Scope, name: str, unit: str, description: str, instrument: Histogram | Sum, since_ns: int
    ) -> None:
        self.scope = scope
        self.name = name
        self.unit = unit
        self.description = description
        self.instrument = instrument
        self.since_ns = since_ns


class _Observed:
    __slots__ = ("asked", "description", "keys", "name", "scope", "unit")

    def __init__(self, scope: Scope, name: str, unit: str, description: str, keys: tuple[str, ...]) -> None:
        self.scope = scope
        self.name = name
        self.unit = unit
        self.description = description
        self.keys = keys
        self.asked: list[Callable[[], Iterable[tuple[Any, int]]]] = []

    def collected(self, since_ns: int, now_ns: int) -> collected.Collected | None:
        points = [
            collected.NumberPoint(_attributes(self.keys, key), since_ns, now_ns, value)
            for sums in self.asked
            for key, value in sums()
        ]
        if not points:
            return None
        return collected.Collected(self.scope, self.name, self.unit, self.description, collected.SUM, points)


class Metering:
    """Makes instruments and collects them.

    ``temporality`` and ``exemplar_filter`` as in the standard variables. ``changed()`` is called at the first
    measurement since the last collection, on the program's thread. ``others`` is what else is to be collected: the
    SDK's instruments (telemetry.sdk_metrics).
    """

    def __init__(
        self,
        temporality: str = "cumulative",
        exemplar_filter: str = "trace_based",
        changed: Callable[[], object] | None = None,
    ) -> None:
        self.delta = _DELTA[temporality]
        self.temporality = temporality
        self.ledger = Ledger(EXEMPLARS[exemplar_filter], 2000, changed)
        self._streams: dict[tuple[Any, ...], _Stream] = {}
        self._observed: dict[tuple[Any, ...], _Observed] = {}
        self._since_ns = time_ns()
        self.others: Any = None

    def histogram(
        self,
        scope: Scope,
        name: str,
        unit: str,
        description: str,
        keys: tuple[str, ...],
        boundaries: tuple[float, ...],
    ) -> Histogram:
        """The histogram of that name in that scope; points have values for ``keys``, in this order."""
        known = self._known(scope, name)
        if isinstance(known, Histogram):
            return known
        made = Histogram(self.ledger, keys, boundaries)
        self._add(scope, name, unit, description, made)
        return made

    def counter(
        self,
        scope: Scope,
        name: str,
        unit: str,
        description: str,
        keys: tuple[str, ...],
        *,
        monotonic: bool,
    ) -> Sum:
        """The counter, or unless ``monotonic`` the up-down counter, of that name in that scope."""
        known = self._known(scope, name)
        if isinstance(known, Sum):
            return known
        made = Sum(self.ledger, keys, monotonic)
        self._add(scope, name, unit, description, made)
        return made

    def observe(
        self,
        scope: Scope,
        name: str,
        unit: str,
        description: str,
        keys: tuple[str, ...],
        sums: Callable[[], Iterable[tuple[Any, int]]],
    ) -> None:
        """An up-down counter that ``sums()`` is asked for, on the worker's thread: the values of ``keys``, and a sum.

        It must not raise. Several that observe the same metric in the same scope are asked one after the other.
        """
        observed = self._observed.setdefault(
            (scope.name, scope.version, name), _Observed(scope, name, unit, description, keys)
        )
        observed.asked.append(sums)

    def _known(self, scope: Scope, name: str) -> Histogram | Sum | None:
        stream = self._streams.get((scope.name, scope.version, name))
        return stream.instrument if stream is not None else None

    def _add(self, scope: Scope, name: str, unit: str, description: str, instrument: Histogram | Sum) -> None:
        self._streams[scope.name, scope.version, name] = _Stream(
            scope, name, unit, description, instrument, self._since_ns
        )

    def changed(self) -> bool:
        """Whether something was, or may have been, measured since the last collection."""
        return bool(self.ledger.changed) or (self.others is not None and self.others.active())

    def holds(self) -> bool:
        """Whether a collection now would give something."""
        if self.changed():
            return True
        if self._observed:
            return True
        if self.delta:
            return False
        if self.others is not None and self.others.holds():
            return True
        return any(stream.instrument.points for stream in list(self._streams.values()))

    def collect(self, timeout_s: float = 10.0) -> Iterator[collected.Collected]:
        """What all instruments hold at this moment. The state is taken at once, records are made as they are asked."""
        self.ledger.changed = False
        yield from self._taken_now(self.delta)
        if self.others is not None:
            yield from self.others.collect(timeout_s)

    def snapshot(self) -> list[collected.Collected]:
        """What our instruments hold, without beginning anew."""
        return self._taken_now(delta=False)

    def set_aside(self) -> Callable[[], None]:
        """Begins at nothing; what is returned brings back what was there, as if nothing had been measured meanwhile."""
        before = {key: stream.instrument.points for key, stream in self._streams.items()}
        changed, on_change = self.ledger.changed, self.ledger.on_change
        for stream in self._streams.values():
            stream.instrument.points = {}
        self.ledger.on_change = None

        def bring_back() -> None:
            for key, stream in self._streams.items():
                stream.instrument.points = before.get(key, {})
            self.ledger.changed, self.ledger.on_change = changed, on_change

        return bring_back

    def _taken_now(self, delta: bool) -> list[collected.Collected]:
        now_ns = time_ns()
        taken = [self._taken(stream, now_ns, delta) for stream in list(self._streams.values())]
        taken += [observed.collected(self._since_ns, now_ns) for observed in list(self._observed.values())]
        return [each for each in taken if each is not None]

    def _taken(self, stream: _Stream, now_ns: int, delta: bool) -> collected.Collected | None:
        instrument = stream.instrument
        since_ns = stream.since_ns
        kind: str
        if isinstance(instrument, Histogram):
            histogram_points = instrument.collect(delta)
            made: Iterator[Any] = (
                _buckets(instrument, key, point, since_ns, now_ns) for key, point in histogram_points
            )
            kind, monotonic, empty = collected.HISTOGRAM, False, not histogram_points
        else:
            monotonic = instrument.monotonic
            delta = delta and monotonic
            sums = instrument.collect(delta)
            made = (
                collected.NumberPoint(_attributes(instrument.keys, key), since_ns, now_ns, value) for key, value in sums
            )
            kind, empty = collected.SUM, not sums
        if delta:
            stream.since_ns = now_ns
        if empty:
            return None
        return collected.Collected(
            stream.scope, stream.name, stream.unit, stream.description, kind, made, delta=delta, monotonic=monotonic
        )

    def forked(self) -> None:
        """In a forked child: everything begins at nothing, and now."""
        self._since_ns = time_ns()
        self.ledger.changed = False
        for stream in self._streams.values():
            stream.instrument.forget()
            stream.since_ns = self._since_ns
        if self.others is not None:
            self.others.forked()


def _attributes(keys: tuple[str, ...], key: Any) -> dict[str, Any]:
    if key is OVERFLOW:
        return {METRIC_OVERFLOW: True}
    return {name: value for name, value in zip(keys, key, strict=False) if value is not None}


def _buckets(
    instrument: Histogram, key: Any, point: HistogramPoint, since_ns: int, now_ns: int
) -> collected.BucketsPoint:
    size = len(instrument.boundaries) + 1
    return collected.BucketsPoint(
        _attributes(instrument.keys, key),
        since_ns,
        now_ns,
        count=point.count,
        total=point.total,
        least=point.least,
        most=point.most,
        bucket_counts=point.bucket_counts(size),
        explicit_bounds=instrument.boundaries,
        exemplars=[
            collected.Exemplar(value, time_ns, (high << 64 | low) or None, span_id or None)
            for value, time_ns, high, low, span_id in point.exemplars(size)
        ],
    )
