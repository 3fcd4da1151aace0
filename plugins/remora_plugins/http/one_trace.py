"""A library's own telemetry for a provider that the program set: its span of a request belongs in the trace of ours.

Such libraries begin at what the caller sent, and where that is nothing, a trace of their own. Here they begin inside
our request instead; what a caller sent still counts.
"""

from __future__ import annotations

from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_joins: ContextVar[bool] = ContextVar("remora_joins_request", default=False)


def patch(native: ModuleType, patcher: Patcher) -> None:
    """``native`` has OpenTelemetry's ``propagate`` and ``trace`` among its names."""
    patcher.replace(native, "propagate", Propagate(native.propagate, native.trace, patcher))


def next_request_joins(provider: Any, native: ModuleType) -> None:
    """Called ahead of the library: whether its span goes by the program's own global provider, and so reaches us."""
    of_program = provider is None or provider is native.trace.get_tracer_provider()
    _joins.set(of_program or type(provider).__module__.startswith("remora."))  # ours, which hands over to it


class Propagate:
    """``opentelemetry.propagate`` in the eyes of one library."""

    def __init__(self, propagate: Any, trace: Any, patcher: Patcher) -> None:
        self._propagate = propagate
        self._trace = trace
        self._patcher = patcher

    def extract(self, carrier: Any, context: Any = None, *args: Any, **kwargs: Any) -> Any:
        if context is None and _joins.get():
            _joins.set(False)  # what runs inside the request decides for itself
            context = self._request()
        return self._propagate.extract(carrier, context, *args, **kwargs)

    def _request(self) -> Any:
        """The context of our request; None where there is none that is kept."""
        try:
            span = self._trace.get_current_span()
            ours = type(span).__module__.partition(".")[0] == "remora" and span.get_span_context().trace_flags.sampled
            return self._trace.set_span_in_context(span) if ours else None
        except Exception as error:
            self._patcher.operations.fault("telemetry", error)
            return None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._propagate, name)
