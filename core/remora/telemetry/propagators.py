"""Formats beside W3C's: B3, Jaeger and X-Ray are ours, any other is looked up among the installed packages."""

from __future__ import annotations

from remora import diagnostics
from remora.telemetry import readable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from typing import Any, Protocol

    from remora.telemetry.spans_cy import Frame, Span

    class Propagator(Protocol):
        """One format.

        Without one of the headers it ``awaits`` there is nothing to extract (None: not known); one that ``enumerates``
        is given all headers as pairs as well.
        """

        awaits: Any
        enumerates: bool

        def inject(self, frame: Frame, span: Span | None, carrier: MutableMapping[str, Any]) -> None: ...

        def extract(self, header: Callable[[str], str | None], pairs: Any = ()) -> Frame | None: ...


_W3C = frozenset({"tracecontext", "baggage", "none"})
OWN = _W3C | {"b3", "b3multi", "jaeger", "xray"}


class InstalledPropagator:
    """One ``opentelemetry_propagator``, used with our frames."""

    awaits = None
    enumerates = False

    def __init__(self, propagator: Any) -> None:
        self._propagator = propagator

    def inject(self, frame: Frame, span: Span | None, carrier: MutableMapping[str, Any]) -> None:  # noqa: ARG002 - in the frame
        self._propagator.inject(carrier, context=readable.context_of(frame))

    def extract(self, header: Callable[[str], str | None], pairs: Any = ()) -> Frame | None:  # noqa: ARG002 - not known
        from opentelemetry.context.context import Context

        found = self._propagator.extract(header, context=Context(), getter=_HeaderGetter(self._propagator.fields))
        frame = readable.frame_of(found)
        if frame.span is not None:
            frame.span = readable.from_foreign(frame.span)
        return frame if frame.span is not None or frame.baggage else None


class _HeaderGetter:
    def __init__(self, fields: Any) -> None:
        self._fields = fields

    def get(self, carrier: Callable[[str], str | None], key: str) -> list[str] | None:
        value = carrier(key.lower())
        return None if value is None else [value]

    def keys(self, carrier: Callable[[str], str | None]) -> list[str]:
        return [field for field in self._fields if carrier(field.lower()) is not None]


def further(names: tuple[str, ...]) -> tuple[Propagator, ...]:
    """The propagators beside W3C's, in the order of their names. Only a program that names one pays for its import."""
    found: list[Propagator] = []
    for name in names:
        if name in _W3C:
            continue
        propagator = _own(name) if name in OWN else _installed(name)
        if propagator is not None:
            found.append(propagator)
    return tuple(found)


def _own(name: str) -> Propagator:
    if name == "jaeger":
        from remora.telemetry.jaeger import Jaeger

        return Jaeger()
    if name == "xray":
        from remora.telemetry.xray import XRay

        return XRay()
    from remora.telemetry.b3 import B3

    return B3(multiple=name == "b3multi")


def _installed(name: str) -> Propagator | None:
    try:
        from importlib.metadata import entry_points

        entries = {entry.name: entry for entry in entry_points(group="opentelemetry_propagator")}
    except Exception as error:
        diagnostics.say("propagators", f"propagators cannot be read: {type(error).__name__}: {error}")
        return None
    entry = entries.get(name)
    if entry is None:
        diagnostics.say(
            f"propagator-{name}",
            f"OTEL_PROPAGATORS names {name!r}, which no installed package offers; there are: "
            f"{', '.join(sorted((OWN | set(entries)) - {'none'}))} (pip install opentelemetry-propagator-{name})",
        )
        return None
    try:
        loaded = entry.load()
        return InstalledPropagator(loaded() if isinstance(loaded, type) else loaded)
    except Exception as error:
        diagnostics.say(f"propagator-{name}", f"propagator {name!r} failed: {type(error).__name__}: {error}")
        return None
