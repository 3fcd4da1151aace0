"""paho-mqtt: publish and callbacks. The context travels in user properties, which MQTT has from version 5 on."""

from __future__ import annotations

from copy import copy

from remora.conventions.messaging import ProcessCall, SendCall, SettleCall
from remora_plugins.messaging import mqtt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_MQTT_5 = 5
_PROPERTIES_AT = 4


def patch(module: ModuleType, patcher: Patcher) -> None:
    client = module.Client
    patcher.wrap(client, "publish", reads=_published, ends=_queued, streams=True)
    patcher.wrap(client, "_handle_on_message", reads=_delivered)
    # The thread that calls back outlives whatever started it.
    patcher.isolate(client, "loop_start")
    if hasattr(client, "ack"):
        patcher.wrap(client, "ack", reads=_acknowledged)

    def adding(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        callback = args[1] if len(args) > 1 else kwargs.get("callback")
        if not callable(callback):
            return args, kwargs
        traced = patcher.callback(callback, reads=_filtered(args[0] if args else kwargs.get("sub")))
        return ((args[0], traced, *args[2:]), kwargs) if len(args) > 1 else (args, {**kwargs, "callback": traced})

    patcher.intercept(client, "message_callback_add", adding)


class MqttSendCall(SendCall):
    """A publish whose properties, a copy with the trace in them, stand in for the program's."""

    __slots__ = ("properties", "qos")

    properties: Any
    qos: Any

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Those of the program, with the properties in place."""
        if self.properties is None or not self.carriers:
            return args, kwargs
        if len(args) > _PROPERTIES_AT:
            return (*args[:_PROPERTIES_AT], self.properties, *args[_PROPERTIES_AT + 1 :]), kwargs
        return args, {**kwargs, "properties": self.properties}


def _published(
    client: Any, topic: Any, payload: Any = None, qos: Any = 0, retain: Any = False, properties: Any = None
) -> MqttSendCall:
    sent = _copied(properties) if client._protocol == _MQTT_5 else None
    carriers = () if sent is None else (mqtt.user_properties(sent),)
    call = MqttSendCall(mqtt.SYSTEM, "publish", topic, carriers=carriers)
    call.properties = sent
    call.qos = qos
    mqtt.locate(call, client)
    return call


def _copied(properties: Any) -> Any:
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    if properties is None:
        return Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    if not isinstance(properties, Properties) or properties.packetType != PacketTypes.PUBLISH:
        return None  # which paho refuses
    return copy(properties)


def _queued(call: MqttSendCall, info: Any) -> None:
    code = info.rc
    if code and not (call.qos and code == mqtt.NO_CONNECTION):  # what has a quality of service waits for a connection
        call.error_type = getattr(code, "name", None) or str(code)


def _delivered(client: Any, message: Any) -> ProcessCall | None:
    callback = client.on_message
    if callback is None or type(getattr(callback, "__self__", None)).__module__.startswith("aiomqtt."):
        return None  # there a receive tells
    try:
        topic = message.topic
    except UnicodeDecodeError:
        topic = None
    if topic is not None and next(iter(client._on_message_filtered.iter_match(topic)), None) is not None:
        return None  # a callback for its topics is told by itself
    return _processed(client, message, topic)


def _filtered(pattern: object) -> Any:
    def read(client: Any, _: Any, message: Any) -> ProcessCall:
        call = _processed(client, message, message.topic)
        if isinstance(pattern, str) and ("+" in pattern or "#" in pattern):
            call.template = pattern
        return call

    return read


def _processed(client: Any, message: Any, topic: object) -> ProcessCall:
    read = mqtt.reader_of(getattr(message, "properties", None))
    call = ProcessCall(mqtt.SYSTEM, "process", topic, readers=(read,))
    mqtt.locate(call, client)
    return call


def _acknowledged(client: Any, *_: object, **__: object) -> SettleCall:
    call = SettleCall(mqtt.SYSTEM, "ack")
    mqtt.locate(call, client)
    return call
