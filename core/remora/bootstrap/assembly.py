"""Engine, pipeline and exporter put together: what exists once a process has something to trace."""

from __future__ import annotations

from time import monotonic

from remora import diagnostics
from remora.bootstrap.house import House
from remora.conventions import methods, redaction
from remora.operation.measuring_cy import Measuring
from remora.operation.propagation import Propagation
from remora.operation.running_cy import Operations
from remora.patching.patcher import Patcher
from remora.process.loading import loading
from remora.telemetry import provider, resource, tracing
from remora.telemetry.metering import Metering
from remora.telemetry.scope import Scope
from remora.telemetry.spans_cy import SAMPLED, current, root, set_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType
    from typing import Any

    from remora.bootstrap.delivery import Shipping
    from remora.host.rows import Row
    from remora.settings import Settings
    from remora.telemetry.spans_cy import Span


class Assembly:
    """Both wings joined in the engine. Made at most once per process; a forked child keeps it and renews its parts."""

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        on_round: Callable[[], object],
        observed: bool = False,
    ) -> None:
        self.settings = settings
        self.environ = environ
        self._on_round = on_round
        redaction.configure(settings.sensitive_query_parameters)
        methods.configure(settings.http_known_methods)
        self.engine = tracing.engine(settings, redaction.text)
        self.engine.resource = _LateResource(self)
        self.propagation = Propagation(settings.propagators, _further(settings.propagators))
        self.house = House(settings)
        self.provider = provider.TracerProvider(self.engine, self.flush)
        self.foreign_provider: str | None = None
        self.shipping: Shipping | None = None
        self.resource: resource.Resource | None = None
        self._early: list[Span] = []
        self._assembling = False
        self._spans_are_delivered = "otlp" in settings.traces_exporter or "store" in settings.traces_exporter
        if self._spans_are_delivered:
            # The exporter is made by the first span that ends: until then there is no thread, socket or file.
            self.engine.deliver = self._first_span
        self.metering: Metering | None = None
        self.foreign_meter_provider: str | None = None
        self._measures = settings.metrics_exporter != ("none",)
        if self._measures or observed:
            self.metering = Metering(
                settings.metrics_temporality,
                settings.metrics_exemplar_filter,
                diagnostics.guarded("metrics", self._measured) if self._measures else None,
            )

    def begin(self) -> None:
        """What may import opentelemetry, and so needs the assembly to be there already."""
        if "console" in self.settings.traces_exporter:
            self.provider.print_spans()

    # Catching

    def patcher(self, row: Row) -> Patcher:
        """What a plugin patches with."""
        scope = Scope(f"remora.{row.name}", row.version or None)
        operations = Operations(self.engine, scope, self.propagation, row.faults.fault if row.faults else _unheard)
        self.house.furnish(operations, row)
        if self.metering is not None:
            operations.measuring = Measuring(self.metering, scope)
        return Patcher(operations)

    def inherit(self, environ: Mapping[str, str]) -> None:
        """Joins the trace that TRACEPARENT names, else the variable of another format that is configured."""
        frame = self._of_processes().extract(lambda name: environ.get(_variable(name)))
        if frame is not None and frame.span is not None:
            set_root(frame)

    def _of_processes(self) -> Propagation:
        """As between services, and by TRACEPARENT whatever else: parent and child may be set up differently."""
        return Propagation((*self.settings.propagators, "tracecontext"), self.propagation.further)

    def inherits_unsampled(self) -> bool:
        """Whether this process is a part of a trace that its caller does not keep."""
        parent = root().span
        return parent is not None and not parent.flags & SAMPLED

    def traceparent(self) -> dict[str, str]:
        """The environment by which a child process joins the current span's trace; empty outside a span."""
        frame = current()
        if frame.span is None:
            return {}
        carrier: dict[str, str] = {}
        own = self.propagation
        (self._of_processes() if own.further and not own.trace else own).inject(frame, carrier)
        return {_variable(name): value for name, value in carrier.items()}

    # OpenTelemetry

    def on_context(self, module: ModuleType) -> None:
        provider.on_context(module)

    def on_trace(self, module: ModuleType) -> None:
        provider.on_trace(module, self.provider, self._adopt)

    def on_sdk(self, module: ModuleType) -> None:
        provider.on_sdk(module, self.provider)

    def _adopt(self, foreign: Any) -> None:
        self.foreign_provider = f"{type(foreign).__module__}.{type(foreign).__qualname__}"
        diagnostics.decided("tracer provider", "the program's own", self.foreign_provider)
        self.provider.hand_over(foreign)
        add = getattr(foreign, "add_span_processor", None)
        if add is not None:
            from remora.telemetry import forwarding  # only where a program has a provider of its own

            add(forwarding.Forwarding(self.engine))

    def on_metrics(self) -> None:
        if self.metering is None or not self._measures:
            return
        from remora.telemetry import sdk_metrics  # imports opentelemetry.metrics, which the program has just done

        metrics = sdk_metrics.SdkMetrics(self.metering, lambda: self.known_resource().sdk(), self.flush_metrics)
        self.metering.others = metrics
        sdk_metrics.on_metrics(metrics, self._adopt_meter_provider)

    def _adopt_meter_provider(self, foreign: Any) -> None:
        self.foreign_meter_provider = f"{type(foreign).__module__}.{type(foreign).__qualname__}"
        diagnostics.decided("meter provider", "the program's own", self.foreign_meter_provider)

    # Shipping

    def _first_span(self, span: Span) -> None:
        with loading:
            self._early.append(span)
            if self._assembling:
                return  # a signal handler or a finaliser ended a span on the very thread that makes the exporter
            self._assembling = True
            try:
                shipping = self._ship()
                self.engine.deliver = shipping.accept
            finally:
                self._assembling = False
            self._take_early(shipping)

    def _take_early(self, shipping: Shipping) -> None:
        while self._early:
            shipping.accept(self._early.pop(0))

    def _ship(self) -> Shipping:
        if self.shipping is None:
            # Here, and not above: a process that makes no span and measures nothing needs none of it.
            from remora.bootstrap.delivery import Shipping

            metering = self.metering if self._measures else None
            resource = self.known_resource()
            self.shipping = Shipping(self.settings, self.environ, resource, self._on_round, metering)
        return self.shipping

    def _measured(self) -> None:
        """The first measurement since the last collection."""
        if self.shipping is not None:
            self.shipping.measured()
            return
        with loading:
            if self._assembling:
                return  # on the very thread that makes the exporter; the exporter looks when it begins to wait
            self._assembling = True
            try:
                shipping = self._ship()
            finally:
                self._assembling = False
            self._take_early(shipping)
        shipping.measured()

    def known_resource(self) -> resource.Resource:
        """The resource of this process, detected once."""
        if self.resource is None:
            self.resource = resource.detect(self.settings)
        return self.resource

    def flush(self, timeout_s: float) -> bool:
        """Sends the spans that wait; False when ``timeout_s`` was not enough."""
        return self.shipping.worker.flush(timeout_s, self.shipping.line) if self.shipping is not None else True

    def flush_metrics(self, timeout_s: float) -> bool:
        """Collects and sends metrics; False when ``timeout_s`` was not enough."""
        if self.shipping is None or self.shipping.metrics is None:
            return True
        return self.shipping.worker.flush(timeout_s, self.shipping.metrics)

    def pending(self) -> bool:
        """Whether anything waits to be sent."""
        if self.shipping is None:
            return self._measures and self.metering is not None and self.metering.changed()
        return self.shipping.worker.pending()

    def finish(self, deadline: float) -> None:
        """The end of the process; ``deadline`` is a time.monotonic() value."""
        if self.engine.processors is not None:
            # Not shut down: where exec fails, or nothing kills pid 1, the program goes on.
            self.engine.processors.force_flush(max(int((deadline - monotonic()) * 1000), 1))
        if self.shipping is None and self.pending():
            self._measured()
        if self.shipping is not None:
            self.shipping.worker.finish(deadline)

    def let_go(self) -> None:
        """Ahead of a fork."""
        if self.shipping is not None:
            self.shipping.worker.let_go()

    def take_up(self) -> None:
        """Behind a fork, in the parent."""
        if self.shipping is not None:
            self.shipping.worker.take_up()

    def forked(self) -> None:
        """A forked child: new ids, a new instance, nothing of the parent's queue."""
        self.engine.reseed()
        self.resource = None
        self._early = []
        self._assembling = False
        if self.shipping is not None:
            self.shipping = None
            if self._spans_are_delivered:
                self.engine.deliver = self._first_span
        if self.metering is not None:
            self.metering.forked()


def _further(names: tuple[str, ...]) -> Any:
    """The propagators that are not W3C's; nearly every process has none."""
    if all(name in ("tracecontext", "baggage", "none") for name in names):
        return ()
    from remora.telemetry import propagators

    return propagators.further(names)


class _LateResource:
    """The engine's resource, detected only when a ReadableSpan is asked for it."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly

    def sdk(self) -> Any:
        return self._assembly.known_resource().sdk()


def _variable(header: str) -> str:
    return header.upper().replace("-", "_")


def _unheard(where: str, error: BaseException) -> None:
    diagnostics.say(f"fault-{where}", f"a fault in {where}: {diagnostics.fault_text(error)}")
