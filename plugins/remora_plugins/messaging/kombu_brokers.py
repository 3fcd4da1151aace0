"""Which broker a connection of kombu leads to, and how its destinations are called."""

from __future__ import annotations

import re

from remora.conventions.values_cy import exact_int, exact_text
from remora_plugins.messaging import rabbitmq

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SYSTEMS = {
    "amqp": rabbitmq.SYSTEM,
    "sqs": "aws_sqs",
    "gcpubsub": "gcp_pubsub",
    "azureservicebus": "servicebus",
}
_UUID = re.compile(r"(?:^|[.:])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$")


class Broker:
    """``system`` by the registry, or kombu's name of the transport; ``host`` and ``port`` None where it has none."""

    def __init__(self, system: str, host: str | None = None, port: int | None = None) -> None:
        self.system = system
        self.host = host
        self.port = port
        self.amqp = system == rabbitmq.SYSTEM

    def destination(self, exchange: object, routing_key: object, queue: object = None) -> str | None:
        """By RabbitMQ's rules; elsewhere exchanges are kombu's own, and what the broker has is the queue."""
        if self.amqp:
            return rabbitmq.destination(exchange, routing_key, queue)
        return exact_text(queue) or exact_text(routing_key) or exact_text(exchange)

    def anonymous(self, *names: object) -> bool:
        """Whether the broker made up a name."""
        return self.amqp and rabbitmq.anonymous(*names)

    def attributes(self, routing_key: object, delivery_tag: object = None) -> dict[str, Any] | None:
        """RabbitMQ's own attributes."""
        return rabbitmq.attributes(routing_key, delivery_tag) if self.amqp else None


_NOT_KNOWN = Broker("kombu")


def for_one_use(*names: object) -> bool:
    """Whether a queue is called by a UUID, as those for replies are."""
    return any(_UUID.search(exact_text(name) or "") for name in names)


def of_connection(connection: Any) -> Broker:
    """Of a kombu connection, which need not be connected, and is not for this."""
    if connection is None:
        return _NOT_KNOWN
    transport = connection.get_transport_cls()
    kind = exact_text(getattr(transport, "driver_type", None)) or _NOT_KNOWN.system
    system = _SYSTEMS.get(kind, kind)
    if kind in ("memory", "filesystem", "sql"):
        return Broker(system)
    port = exact_int(connection.port) or exact_int(getattr(transport, "default_port", None))
    return Broker(system, exact_text(connection.hostname) or "localhost", port)


def of_channel(channel: Any) -> Broker:
    """Of a channel or of what belongs to one."""
    return of_connection(getattr(getattr(channel, "connection", None), "client", None))


def of_producer(producer: Any) -> Broker:
    """Of a producer, without making it connect."""
    if producer.__connection__ is not None:
        return of_connection(producer.__connection__)
    return of_channel(producer._channel)
