"""The engine of a process, set up as the settings say."""

from __future__ import annotations

from remora import diagnostics
from remora.telemetry import limits, readable, sampling
from remora.telemetry.spans_cy import Engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from remora.settings import Settings

__all__ = ["engine", "readable"]


def engine(settings: Settings, redact: Callable[[str], str] | None) -> Engine:
    """An engine with sampler, limits and id generator of the settings; ``redact`` cleans exception texts."""
    made = Engine()
    made.redact = redact
    limits.apply(settings, made)
    sampling.apply(settings, made)
    if settings.id_generator != "random":
        made.id_generator = _id_generator(settings.id_generator)
        if made.id_generator is not None:
            made.root_flags = 2 if getattr(made.id_generator, "is_trace_id_random", bool)() else 0
    return made


def _id_generator(name: str) -> Any:
    # Only a program that names another generator pays for the SDK's import.
    try:
        from importlib.metadata import entry_points

        for entry in entry_points(group="opentelemetry_id_generator"):
            if entry.name == name:
                return entry.load()()
        reason = "no installed package offers it"
    except Exception as error:
        reason = f"it fails to load: {type(error).__name__}: {error}"
    diagnostics.say("id-generator", f"OTEL_PYTHON_ID_GENERATOR={name!r}: {reason}; random ids are used")
    return None
