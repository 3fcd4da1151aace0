"""What the clients of MQTT share: where they are connected, and the user properties of version 5."""

from __future__ import annotations

from remora.conventions.messaging import reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from remora.conventions.messaging import MessagingCall, Reader

SYSTEM = "mqtt"
NO_CONNECTION = 4  # MQTT_ERR_NO_CONN


class UserProperties(list[tuple[str, str]]):
    """Pairs, to which the trace is added by item assignment."""

    def __setitem__(self, name: Any, value: Any) -> None:
        self.append((name, value))


def user_properties(properties: Any) -> Any:
    """The carrier of paho's ``properties``, which have it from now on: a list of their own."""
    pairs = UserProperties(getattr(properties, "UserProperty", ()))
    object.__setattr__(properties, "UserProperty", pairs)  # its own adds to what is there
    return pairs


def reader_of(properties: Any) -> Reader:
    """Reads a message's user properties; there are none before version 5."""
    return reader(getattr(properties, "UserProperty", None))


def locate(call: MessagingCall, client: Any) -> None:
    """``client`` is paho's."""
    call.host = client._host or None
    call.port = client._port
    call.client_id = client._client_id
