"""aiomqtt against Mosquitto."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from plugins.messaging.contract import MessagingContract, Peer, message_parent
from support.brokers import mosquitto_server

aiomqtt = pytest.importorskip("aiomqtt")

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora.testing import Spans

__all__ = ["message_parent"]

PATIENCE_S = 20


class Topic(Peer):
    """A topic, and a client in an event loop that runs when it is asked to."""

    def __init__(self, port: int, protocol: Any) -> None:
        self.name = f"remora/{uuid.uuid4().hex[:8]}"
        self.loop = asyncio.new_event_loop()
        self.outstanding = 0
        self.client: Any = None
        self.run(self._connect(port, protocol))

    async def _connect(self, port: int, protocol: Any) -> None:
        self.client = aiomqtt.Client("127.0.0.1", port, protocol=protocol)
        await self.client.__aenter__()
        await self.client.subscribe(self.name)

    def run(self, awaitable: Any) -> Any:
        return self.loop.run_until_complete(awaitable)

    def send(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        given = None
        if headers is not None:
            given = Properties(PacketTypes.PUBLISH)
            given.UserProperty = list(headers.items())
        self.run(self.client.publish(self.name, body, properties=given))
        self.outstanding += 1

    def receive(self) -> bytes | None:
        async def first() -> Any:
            async for message in self.client.messages:
                assert not trace.get_current_span().get_span_context().is_valid
                return message.payload
            return None

        timeout = PATIENCE_S if self.outstanding else 0.01
        try:
            body: bytes = self.run(asyncio.wait_for(first(), timeout))
        except asyncio.TimeoutError:
            return None
        self.outstanding -= 1
        return body

    def close(self) -> None:
        self.run(self.client.__aexit__(None, None, None))
        self.loop.close()


@pytest.fixture(scope="module")
def mosquitto_port() -> Iterator[int]:
    with mosquitto_server() as port:
        yield port


class TestAiomqttByMqtt5(MessagingContract):
    system = "mqtt"
    receives = "receive"
    processes = None  # messages are iterated
    protocol = "V5"

    @pytest.fixture
    def peer(self, spans: Spans, mosquitto_port: int) -> Iterator[Topic]:
        topic = Topic(mosquitto_port, aiomqtt.ProtocolVersion[self.protocol])
        yield topic
        topic.close()

    def destination(self, peer: Topic) -> str:
        return peer.name


class TestAiomqttByMqtt311(TestAiomqttByMqtt5):
    protocol = "V311"
    carries = False  # its messages have no headers


def test_each_message_is_one_receive_and_no_processing(spans: Spans, mosquitto_port: int) -> None:
    topic = Topic(mosquitto_port, aiomqtt.ProtocolVersion.V5)
    for body in (b"one", b"two"):
        topic.send(body)
    assert [topic.receive(), topic.receive()] == [b"one", b"two"]
    topic.close()
    received = MessagingContract.of_type(spans, "receive")
    assert [len(span.links) for span in received] == [1, 1]
    assert MessagingContract.of_type(spans, "process") == []


def test_a_connection_that_ends_is_an_error(spans: Spans, mosquitto_port: int) -> None:
    topic = Topic(mosquitto_port, aiomqtt.ProtocolVersion.V5)

    async def closing() -> None:
        iterator = aiter(topic.client.messages)
        waiting = asyncio.ensure_future(iterator.__anext__())
        await asyncio.sleep(0)
        await topic.client.__aexit__(None, None, None)
        await waiting

    with pytest.raises(aiomqtt.MqttError, match="Disconnected during message iteration"):
        topic.run(closing())
    topic.loop.close()
    (receive,) = MessagingContract.of_type(spans, "receive")
    assert receive.status == "ERROR"
