"""The shipping wing of one process: intake, line, worker, export chain and store, wired together."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial

import remora
from remora.export import chain
from remora.export.sender import Payload
from remora.export.storing import Storing
from remora.otlp.split import split_request
from remora.otlp.traces import TraceBuffer
from remora.pipeline.intake_cy import Intake
from remora.pipeline.line import Line
from remora.pipeline.worker import Worker
from remora.store.writer import Writer
from remora.telemetry.spans_cy import Frame, pop, push

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from remora.export.chain import Delivery
    from remora.pipeline.periodic import PeriodicLine
    from remora.settings import Otlp, Settings
    from remora.telemetry.metering import Metering
    from remora.telemetry.resource import Resource

_BATCH_BYTES = 4 * 1024 * 1024


class Shipping:
    """``accept`` takes ended spans; everything else happens in the worker or at the end of the process."""

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        resource: Resource,
        on_round: Callable[[], object],
        metering: Metering | None = None,
    ) -> None:
        self.worker = Worker(settings.bsp_schedule_delay_s, on_round)
        store = self.store = Writer(settings.store_dir, settings.store_max_bytes)

        def keep(payload: Payload) -> bool:
            return store.write(payload.signal, payload.body, payload.items)

        batch_spans = settings.bsp_max_export_batch_size
        self.buffer = TraceBuffer(resource.attributes, resource.schema_url, segment_spans=batch_spans)
        self.intake = Intake(
            self.buffer.append,
            self.worker.first,
            self.worker.full,
            settings.bsp_max_queue_size,
            settings.queue_max_bytes,
            min(batch_spans, settings.bsp_max_queue_size),
            min(_BATCH_BYTES, settings.queue_max_bytes // 4),
        )
        self.line = Line(
            self.buffer,
            self.intake,
            _payload,
            lambda: _way(settings.traces_exporter, settings.traces_otlp, keep, environ),
            keep,
            batch_spans,
            _BATCH_BYTES,
            settings.bsp_export_timeout_s,
        )
        self.worker.lines.append(self.line)
        self.accept = self.intake.accept
        self.metrics: PeriodicLine | None = None
        if metering is not None:
            # Here, and not above: a process without metrics needs none of it.
            from remora.bootstrap.metrics import metric_line

            way = partial(_way, settings.metrics_exporter, settings.metrics_otlp, keep, environ)
            self.metrics = metric_line(settings, resource, metering, way, keep)
            self.worker.lines.append(self.metrics)

    def measured(self) -> None:
        """Something was measured for the first time since metrics were collected."""
        if self.metrics is not None:
            self.metrics.begin_interval()
            self.worker.first()


def _way(
    exporters: tuple[str, ...], otlp: Otlp, keep: Callable[[Payload], bool], environ: Mapping[str, str]
) -> Storing | Delivery:
    """The sender of one signal, as its exporter variable says."""
    if "store" in exporters:
        return Storing(keep)
    return chain.build(otlp, version=remora.__version__, fallback=keep, suppress=_untraced, environ=environ)


def _payload(batch: Any) -> Payload:
    return _traces(batch.body(), batch.spans)


def _traces(body: bytes, spans: int) -> Payload:
    def halves() -> tuple[Payload, Payload] | None:
        parts = split_request(body)
        return None if parts is None else (_traces(*parts[0]), _traces(*parts[1]))

    return Payload("traces", body, spans, halves if spans > 1 else None)


@contextmanager
def _untraced() -> Iterator[None]:
    """Our own traffic makes no spans."""
    frame = Frame(suppressed=True)
    token = push(frame)
    try:
        yield
    finally:
        pop(token, frame)
