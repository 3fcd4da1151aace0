"""The program's own instruments: opentelemetry-sdk aggregates them, and what it holds leaves with ours.

Imported once the program imports ``opentelemetry.metrics``; the SDK is imported by the first instrument.
"""

from __future__ import annotations

from _thread import RLock, allocate_lock

from opentelemetry.metrics import _internal

from remora import diagnostics
from remora.telemetry.meters import OwnMeterProvider
from remora.telemetry.points import EXPONENTIAL, GAUGE, HISTOGRAM, SUM, Collected
from remora.telemetry.scope import Scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from remora.telemetry.metering import Metering

_DELTA_COUNTERS = {
    "cumulative": (),
    "delta": ("Counter", "Histogram", "ObservableCounter"),
    "lowmemory": ("Counter", "Histogram"),
}


class SdkMetrics:
    """An SDK MeterProvider whose only reader is asked by our worker. ``resource() -> sdk Resource``."""

    def __init__(self, metering: Metering, resource: Callable[[], Any], flush: Callable[[float], bool]) -> None:
        self._metering = metering
        self._resource = resource
        self._lock = RLock()
        self._provider: Any = None
        self._reader: Any = None
        self._scopes: dict[Any, Scope] = {}
        self.provider = OwnMeterProvider(self._made, flush)

    def _made(self) -> Any:
        with self._lock:
            if self._provider is None:
                self._make()
        return self._provider

    def _make(self) -> None:
        # Here, and not above: most programs have no instruments of their own.
        from opentelemetry.sdk import metrics
        from opentelemetry.sdk.metrics import export

        class CollectedByUs(export.MetricReader):
            """Keeps what it was given for whoever asked it to collect."""

            given: Any = None

            def _receive_metrics(self, metrics_data: Any, *_: Any, **__: Any) -> None:
                self.given = metrics_data

            def shutdown(self, *_: Any, **__: Any) -> None:
                """Nothing to do: the worker ends with the process."""

        delta = export.AggregationTemporality.DELTA
        wanted = {getattr(metrics, name): delta for name in _DELTA_COUNTERS[self._metering.temporality]}
        reader = CollectedByUs(preferred_temporality=wanted)
        provider = metrics.MeterProvider([reader], self._resource(), shutdown_on_exit=False)
        consumer = provider._measurement_consumer
        consume, ledger = consumer.consume_measurement, self._metering.ledger

        def consume_measurement(measurement: Any) -> None:
            consume(measurement)
            if not ledger.changed:
                ledger.note()

        consumer.consume_measurement = consume_measurement  # type: ignore[method-assign]
        register = consumer.register_asynchronous_instrument

        def register_asynchronous_instrument(instrument: Any) -> None:
            register(instrument)
            ledger.note()  # observed from now on, though nothing may ever be recorded

        consumer.register_asynchronous_instrument = register_asynchronous_instrument  # type: ignore[method-assign]
        self._reader, self._provider = reader, provider

    def active(self) -> bool:
        """Whether there is something to observe, which nobody tells when it changes."""
        return self._provider is not None and bool(self._provider._measurement_consumer._async_instruments)

    def holds(self) -> bool:
        """Whether the SDK aggregates anything."""
        return self._provider is not None

    def collect(self, timeout_s: float) -> Iterator[Collected]:
        """Asks the SDK, whose callbacks of the program run here."""
        reader = self._reader
        if reader is None:
            return
        try:
            reader.collect(max(timeout_s, 0.1) * 1000)
        except Exception as error:
            diagnostics.say("sdk-metrics", f"a collection by opentelemetry-sdk failed: {diagnostics.fault_text(error)}")
        given, reader.given = reader.given, None
        for resource in given.resource_metrics if given is not None else ():
            for scoped in resource.scope_metrics:
                scope = self._scope(scoped.scope)
                for metric in scoped.metrics:
                    yield _collected(scope, metric)

    def forked(self) -> None:
        """In a forked child: the sums so far are the parent's, whose other threads may have held the locks."""
        self._lock = RLock()
        if self._provider is None:
            return
        diagnostics.guarded("sdk-metrics-fork", self._renew)()
        if self.active():
            self._metering.ledger.note()

    def _renew(self) -> None:
        consumer, reader = self._provider._measurement_consumer, self._reader
        consumer._lock = allocate_lock()
        storage = type(consumer._reader_storages[reader])
        preferences = [reader._instrument_class_temporality, reader._instrument_class_aggregation]
        if hasattr(reader, "_instrument_class_cardinality_limit"):  # of newer versions
            preferences.append(reader._instrument_class_cardinality_limit)
        consumer._reader_storages = {reader: storage(consumer._sdk_config, *preferences)}

    def _scope(self, scope: Any) -> Scope:
        values = dict(scope.attributes) if getattr(scope, "attributes", None) else None
        key = (scope.name, scope.version, scope.schema_url, repr(values))
        known = self._scopes.get(key)
        if known is None:
            known = self._scopes[key] = Scope(scope.name, scope.version or None, scope.schema_url or None, values)
        return known


def _collected(scope: Scope, metric: Any) -> Collected:
    data = metric.data
    points = data.data_points
    monotonic = bool(getattr(data, "is_monotonic", False))
    delta = int(getattr(data, "aggregation_temporality", 2)) == 1
    if hasattr(data, "is_monotonic"):
        kind = SUM
    elif not hasattr(data, "aggregation_temporality"):
        kind = GAUGE
    else:
        kind = EXPONENTIAL if "Exponential" in type(data).__name__ else HISTOGRAM
    return Collected(
        scope,
        metric.name,
        metric.unit or "",
        metric.description or "",
        kind,
        points,
        delta=delta,
        monotonic=monotonic,
    )


def on_metrics(metrics: SdkMetrics, adopted: Callable[[Any], None]) -> None:
    """``opentelemetry.metrics`` was imported: our provider is there, and a program may still set its own.

    ``adopted(provider)`` is told of a provider that the program sets.
    """
    api: Any = _internal
    if api._METER_PROVIDER is None:
        # The set-once flag stays open on purpose: a program that sets a provider of its own keeps it.
        api._METER_PROVIDER = metrics.provider
    original = api._set_meter_provider

    def _set_meter_provider(meter_provider: Any, log: bool) -> None:
        original(meter_provider, log)
        if api._METER_PROVIDER is meter_provider and meter_provider is not metrics.provider:
            metrics.provider.hand_over(meter_provider)
            diagnostics.guarded("meter-provider-adopt", adopted)(meter_provider)

    api._set_meter_provider = _set_meter_provider
