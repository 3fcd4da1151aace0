"""aiomqtt: a receive for each message that is iterated. It publishes by paho-mqtt, where that is told."""

from __future__ import annotations

import asyncio

from remora.conventions.messaging import ReceiveCall
from remora_plugins.messaging import mqtt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher


def patch(module: ModuleType, patcher: Patcher) -> None:
    patcher.receives(module.MessagesIterator, "__anext__", _received)


def _received(message: Any, exception: BaseException | None, iterator: Any) -> ReceiveCall | None:
    client = iterator._client._client
    if exception is not None:
        if isinstance(exception, asyncio.CancelledError):
            return None
        call = ReceiveCall(mqtt.SYSTEM, "receive")
        call.count = 0
    else:
        call = ReceiveCall(mqtt.SYSTEM, "receive", str(message.topic), readers=(mqtt.reader_of(message.properties),))
    mqtt.locate(call, client)
    return call
