"""Our TracerProvider behind the OpenTelemetry API, and what happens when opentelemetry is imported.

The ``on_*`` functions are called by the composition root once the named module was imported by the program.
"""

from __future__ import annotations

from remora import diagnostics
from remora.telemetry import readable
from remora.telemetry.processors import Processors
from remora.telemetry.scope import Scope
from remora.telemetry.spans_cy import Span, SpanScope, Tracer, current, pop, push

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from remora.telemetry.spans_cy import Engine


class TracerProvider:
    """Hands out tracers of the one engine.

    ``flush(timeout_s) -> bool`` is the pipeline's. When the program imports the SDK, the object's class is replaced by
    one that also derives from the SDK's, so that ``isinstance`` holds.
    """

    def __init__(self, engine: Engine, flush: Callable[[float], bool]) -> None:
        self._engine = engine
        self._flush = flush
        self._tracers: dict[Any, Tracer] = {}
        self._processors = Processors()

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Any = None,
    ) -> Tracer:
        """One tracer per name, version, schema URL and attributes."""
        name = instrumenting_module_name or ""
        values = self._engine.clean(attributes, 128) if attributes else None
        # Programs hand in versions as numbers, too; the record holds exact texts.
        key = (_text(name) or "", _text(instrumenting_library_version), _text(schema_url), repr(values))
        tracer = self._tracers.get(key)
        if tracer is None:
            tracer = self._tracers[key] = Tracer(self._engine, Scope(key[0], key[1], key[2], values))
        return tracer

    def hand_over(self, foreign: Any) -> None:
        """The program set a provider of its own: the tracers it has got from us so far are that one's now."""
        for tracer in self._tracers.values():
            scope = tracer.scope
            tracer.delegate = foreign.get_tracer(scope.name, scope.version, scope.schema_url, scope.attributes)

    def add_span_processor(self, span_processor: Any) -> None:
        """An SDK SpanProcessor that sees every recorded span from now on, beside our own pipeline."""
        self._processors.added = [*self._processors.added, span_processor]
        self._engine.processors = self._processors

    def print_spans(self) -> None:
        """``OTEL_TRACES_EXPORTER=console``: every span is printed as JSON (imports the SDK)."""
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

        self.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Sends what waits; False when it took longer than ``timeout_millis``."""
        done = self._processors.force_flush(timeout_millis)
        return self._flush(min(max(timeout_millis / 1000, 0.0), _LONGEST_FLUSH_S)) and done

    def shutdown(self) -> None:
        """Shuts the program's own processors down and sends what waits; ours goes on until the process ends."""
        processors, self._engine.processors = self._processors, None
        self._processors = Processors()
        processors.shutdown()
        self._flush(5.0)

    @property
    def resource(self) -> Any:
        """The SDK's Resource (imports the SDK)."""
        resource = self._engine.resource
        return resource.sdk() if resource is not None else None

    @property
    def sampler(self) -> Any:
        """A sampler object that says what the engine does."""
        from opentelemetry.sdk.trace import sampling

        return sampling._get_from_env_or_default()

    @property
    def id_generator(self) -> Any:
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

        return self._engine.id_generator or RandomIdGenerator()

    @property
    def _active_span_processor(self) -> Any:
        return self._processors

    @property
    def _disabled(self) -> bool:
        return False


_LONGEST_FLUSH_S = 3600.0


def _text(value: Any) -> str | None:
    return None if value is None else str.__str__(value) if isinstance(value, str) else str(value)


def on_context(module: ModuleType) -> None:
    """``opentelemetry.context`` was imported: its current context and ours become one."""
    from opentelemetry.context.context import _RuntimeContext

    class RemoraRuntimeContext(_RuntimeContext):
        """OpenTelemetry's runtime context over our frames; detaching never fails."""

        def attach(self, context: Any) -> Any:
            return push(readable.attached(context, current()))

        def get_current(self) -> Any:
            return readable.context_of(current())

        def detach(self, token: Any) -> None:
            pop(token, None)

    module._RUNTIME_CONTEXT = RemoraRuntimeContext()  # type: ignore[attr-defined]


def on_trace(module: ModuleType, provider: TracerProvider, adopted: Callable[[Any], None]) -> None:
    """``opentelemetry.trace`` was imported: our provider is there already, and a program may still set its own.

    ``adopted(provider)`` is told of a provider that the program sets.
    """
    trace: Any = module
    trace.Span.register(Span)
    trace.Tracer.register(Tracer)
    trace._AgnosticContextManager = getattr(trace, "_AgnosticContextManager", SpanScope)
    if not isinstance(provider, trace.TracerProvider):
        trace.TracerProvider.register(type(provider))
    if trace._TRACER_PROVIDER is None:
        # The set-once flag stays open on purpose: a program that sets a provider of its own keeps it.
        trace._TRACER_PROVIDER = provider
    original = trace._set_tracer_provider

    def _set_tracer_provider(tracer_provider: Any, log: bool) -> None:
        original(tracer_provider, log)
        if trace._TRACER_PROVIDER is tracer_provider and tracer_provider is not provider:
            diagnostics.guarded("provider-adopt", adopted)(tracer_provider)

    trace._set_tracer_provider = _set_tracer_provider


def on_sdk(module: ModuleType, provider: TracerProvider) -> None:
    """``opentelemetry.sdk.trace`` was imported: from now on ours pass for the SDK's."""
    sdk: Any = module
    readable.report_as(getattr(sdk, "_Span", sdk.Span))
    if not isinstance(provider, sdk.TracerProvider):
        own = type(provider)
        provider.__class__ = type(own.__name__, (own, sdk.TracerProvider), {"__module__": own.__module__})
