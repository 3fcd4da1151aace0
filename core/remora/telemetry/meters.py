"""Our MeterProvider behind the OpenTelemetry API: it hands out meters at no cost until one makes an instrument."""

from __future__ import annotations

from opentelemetry.metrics import Meter, MeterProvider

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class OwnMeterProvider(MeterProvider):
    """What ``opentelemetry.metrics`` hands out until the program sets a provider of its own."""

    def __init__(self, make: Callable[[], Any], flush: Callable[[float], bool]) -> None:
        self._make = make
        self._flush = flush
        self._meters: list[OwnMeter] = []
        self.foreign: Any = None

    def get_meter(self, name: str, *args: Any, **kwargs: Any) -> Meter:
        """A meter whose first instrument brings the SDK in."""
        if self.foreign is not None:
            return self.foreign.get_meter(name, *args, **kwargs)  # type: ignore[no-any-return]
        meter = OwnMeter(self, name, *args, **kwargs)
        self._meters.append(meter)
        return meter

    def real(self) -> Any:
        """The provider that instruments are made by."""
        return self.foreign if self.foreign is not None else self._make()

    def hand_over(self, foreign: Any) -> None:
        """The program set a provider of its own: meters without an instrument so far are that one's now."""
        self.foreign = foreign

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Collects and sends; False when the time was not enough."""
        return self._flush(min(max(timeout_millis / 1000, 0.0), 3600.0))

    def shutdown(self, timeout_millis: float = 30_000) -> None:
        """Sends what was measured; we go on until the process ends."""
        self.force_flush(min(timeout_millis, 5_000))


class OwnMeter(Meter):
    """Makes each instrument by the SDK, or by the provider that the program has set meanwhile."""

    def __init__(self, provider: OwnMeterProvider, name: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(name, *args[:2], **{key: kwargs[key] for key in ("version", "schema_url") if key in kwargs})
        self._provider = provider
        self._asked = (name, *args), kwargs
        self._meter: Any = None

    def _real(self) -> Any:
        if self._meter is None:
            args, kwargs = self._asked
            self._meter = self._provider.real().get_meter(*args, **kwargs)
        return self._meter

    def create_counter(self, *args: Any, **kwargs: Any) -> Any:
        return self._real().create_counter(*args, **kwargs)

    def create_up_down_counter(self, *args: Any, **kwargs: Any) -> Any:
        return self._real().create_up_down_counter(*args, **kwargs)

    def create_observable_counter(self, *args: Any, **kwargs: Any) -> Any:
        return self._real().create_observable_counter(*args, **kwargs)

    def create_histogram(self, *args: Any, **kwargs: Any) -> Any:
        return self._real().create_histogram(*args, **kwargs)

    def create_gauge(self, *args: Any, **kwargs: Any) -> Any:
        return self._real().create_gauge(*args, **kwargs)

    def create_observable_gauge(self, *args: Any, **kwargs: Any) -> Any:
        return self._real().create_observable_gauge(*args, **kwargs)

    def create_observable_up_down_counter(self, *args: Any, **kwargs: Any) -> Any:
        return self._real().create_observable_up_down_counter(*args, **kwargs)
