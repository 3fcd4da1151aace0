"""Span limits of the settings, given to the engine."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from remora.settings import Settings
    from remora.telemetry.spans_cy import Engine

UNLIMITED = 1 << 40


def apply(settings: Settings, engine: Engine) -> None:
    """Sets the engine's limits; None in the settings means no limit."""

    def count(value: int | None) -> int:
        return UNLIMITED if value is None else value

    length = settings.span_attribute_value_length_limit
    engine.attribute_length_limit = -1 if length is None else length
    engine.attribute_count_limit = count(settings.span_attribute_count_limit)
    engine.event_count_limit = count(settings.span_event_count_limit)
    engine.link_count_limit = count(settings.span_link_count_limit)
    engine.event_attribute_count_limit = count(settings.event_attribute_count_limit)
    engine.link_attribute_count_limit = count(settings.link_attribute_count_limit)
