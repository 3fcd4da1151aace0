"""The line by which metrics leave: from the instruments through the encoder to the sender, or to the console."""

from __future__ import annotations

from remora.export.sender import Payload
from remora.otlp.metrics import MetricBuffer
from remora.pipeline.periodic import PeriodicLine
from remora.process.threads import breathe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from remora.export.sender import Sender
    from remora.otlp.metrics import MetricBatch
    from remora.settings import Settings
    from remora.telemetry.metering import Metering
    from remora.telemetry.points import Collected
    from remora.telemetry.resource import Resource

_BATCH_POINTS = 8192
_BATCH_BYTES = 4 * 1024 * 1024


def metric_line(
    settings: Settings,
    resource: Resource,
    metering: Metering,
    way: Callable[[], Sender],
    keep: Callable[[Payload], bool],
) -> PeriodicLine:
    """What the worker drives; ``way()`` makes the sender, ``keep(payload)`` stores what cannot be sent."""

    def collect(timeout_s: float) -> Iterable[Collected]:
        collected: Iterable[Collected] = metering.collect(timeout_s)
        if "console" in settings.metrics_exporter:
            from remora.telemetry.console_metrics import print_metrics  # imports the SDK

            collected = print_metrics(collected, resource)
        return collected if settings.metrics_exporter != ("console",) else ()

    return PeriodicLine(
        MetricBuffer(resource.attributes, resource.schema_url, breathe),
        _payload,
        way,
        keep,
        _BATCH_POINTS,
        _BATCH_BYTES,
        settings.metric_export_timeout_s,
        interval_s=settings.metric_export_interval_s,
        collect=collect,
        changed=metering.changed,
        holds=metering.holds,
    )


def _payload(batch: MetricBatch) -> Payload:
    def halves() -> tuple[Payload, Payload] | None:
        parts = batch.halves()
        return None if parts is None else (_payload(parts[0]), _payload(parts[1]))

    return Payload("metrics", batch.body(), batch.items, halves)
