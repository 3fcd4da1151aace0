"""What all clients of RabbitMQ share: how a destination is called."""

from __future__ import annotations

from remora.conventions.keys import MESSAGING_RABBITMQ_DESTINATION_ROUTING_KEY, MESSAGING_RABBITMQ_MESSAGE_DELIVERY_TAG
from remora.conventions.values_cy import exact_int, exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SYSTEM = "rabbitmq"
_GENERATED = "amq.gen-"


def destination(exchange: object, routing_key: object, queue: object = None) -> str:
    """``exchange:routing_key:queue`` without the empty and the repeated parts; the default exchange has no name."""
    parts: list[str] = []
    for part in (exchange, routing_key, queue):
        text = exact_text(part)
        if text and text not in parts:
            parts.append(text)
    return ":".join(parts) or "amq.default"


def anonymous(*names: object) -> bool:
    """Whether the broker made up a name."""
    return any((exact_text(name) or "").startswith(_GENERATED) for name in names)


def attributes(routing_key: object, delivery_tag: object = None) -> dict[str, Any] | None:
    """RabbitMQ's own attributes."""
    found: dict[str, Any] = {}
    if key := exact_text(routing_key):
        found[MESSAGING_RABBITMQ_DESTINATION_ROUTING_KEY] = key
    tag = exact_int(delivery_tag)
    if tag:
        found[MESSAGING_RABBITMQ_MESSAGE_DELIVERY_TAG] = tag
    return found or None
