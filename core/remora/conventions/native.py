"""Libraries with telemetry of their own: ours stands in for it only where theirs would come to us, or go nowhere."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_GOES_NOWHERE = frozenset({"NoOpMeterProvider", "NoOpTracer", "NoOpTracerProvider", "_ProxyMeterProvider"})


def comes_to_us(maker: Any) -> bool:
    """Whether what this OpenTelemetry provider or tracer makes is ours, or nothing; a program's own is left alone."""
    kind = type(maker)
    package = kind.__module__.partition(".")[0]
    if package not in ("remora", "opentelemetry"):
        return False
    if kind.__name__ == "ProxyTracerProvider":
        return comes_to_us(maker.get_tracer("remora"))
    if kind.__name__ == "ProxyTracer":
        return comes_to_us(maker._tracer)
    later = getattr(maker, "delegate", None)  # the program has set a provider of its own since
    return comes_to_us(later) if later is not None else package == "remora" or kind.__name__ in _GOES_NOWHERE
