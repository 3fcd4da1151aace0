"""paho-mqtt against Mosquitto, by MQTT 5 and by MQTT 3.1.1."""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from plugins.messaging.contract import MessagingContract, Peer, WorkError, message_parent
from support.brokers import mosquitto_server

mqtt = pytest.importorskip("paho.mqtt.client")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from remora.testing import Spans

__all__ = ["message_parent"]

PATIENCE_S = 20


def properties(pairs: list[tuple[str, str]]) -> Any:
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    made = Properties(PacketTypes.PUBLISH)
    made.UserProperty = pairs
    return made


def new_client(protocol: int) -> Any:
    versions = getattr(mqtt, "CallbackAPIVersion", None)
    arguments = () if versions is None else (versions.VERSION2,)
    return mqtt.Client(*arguments, client_id=f"remora-{uuid.uuid4().hex[:8]}", protocol=protocol)


class Topic(Peer):
    """A topic, and a client that reads from its socket when it is asked to."""

    def __init__(self, port: int, protocol: int) -> None:
        self.name = f"remora/{uuid.uuid4().hex[:8]}"
        self.client = new_client(protocol)
        subscribed: list[int] = []
        self.client.on_subscribe = lambda *_: subscribed.append(1)
        self.client.connect("127.0.0.1", port)
        self.pump(self.client.is_connected)
        self.client.subscribe(f"{self.name}/#")
        self.pump(lambda: bool(subscribed))

    def pump(self, until: Callable[[], bool]) -> None:
        patience = time.monotonic() + PATIENCE_S
        while not until():
            assert time.monotonic() < patience, "the broker does not answer"
            self.client.loop(0.05)

    def send(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        given = None if headers is None else properties(list(headers.items()))
        self.client.publish(self.name, body, 0, False, given)

    def process(self, work: Any) -> None:
        done: list[bytes] = []

        def on_message(client: Any, userdata: Any, message: Any) -> None:
            assert not done
            done.append(message.payload)
            work(message.payload)

        self.client.on_message = on_message
        with suppress(WorkError):
            self.pump(lambda: bool(done))
        assert self.client.on_message is on_message

    def close(self) -> None:
        self.client.disconnect()
        self.client._reset_sockets()  # else the pair that wakes its thread stays open until it is collected


@pytest.fixture(scope="module")
def mosquitto_port() -> Iterator[int]:
    with mosquitto_server() as port:
        yield port


class TestPahoByMqtt5(MessagingContract):
    system = "mqtt"
    receives = None
    protocol = 5

    @pytest.fixture
    def peer(self, spans: Spans, mosquitto_port: int) -> Iterator[Topic]:
        topic = Topic(mosquitto_port, self.protocol)
        yield topic
        topic.close()

    def destination(self, peer: Topic) -> str:
        return peer.name


class TestPahoByMqtt311(TestPahoByMqtt5):
    protocol = 4
    carries = False  # its messages have no headers

    def test_a_message_is_sent_as_it_was(self, spans: Spans, peer: Topic) -> None:
        peer.send(b"one")
        peer.process(lambda body: None)
        assert self.only(spans, "process").links == []


@pytest.fixture
def topic(spans: Spans, mosquitto_port: int) -> Iterator[Topic]:
    topic = Topic(mosquitto_port, 5)
    yield topic
    topic.close()


def of_type(spans: Spans, operation_type: str) -> list[Any]:
    return MessagingContract.of_type(spans, operation_type)


def test_a_callback_for_a_pattern_names_the_span_for_it(spans: Spans, topic: Topic) -> None:
    got: list[Any] = []

    class Handler:
        def on_message(self, client: Any, userdata: Any, message: Any) -> None:
            got.append(message)

    topic.client.on_message = lambda *_: got.append("the other one")
    topic.client.message_callback_add(f"{topic.name}/+/new", Handler().on_message)
    topic.client.publish(f"{topic.name}/7/new", b"one")
    topic.pump(lambda: bool(got))
    assert [message.topic for message in got] == [f"{topic.name}/7/new"]
    (process,) = of_type(spans, "process")
    assert process.name == f"process {topic.name}/+/new"
    assert process.attributes["messaging.destination.template"] == f"{topic.name}/+/new"
    assert process.attributes["messaging.destination.name"] == f"{topic.name}/7/new"
    assert len(process.links) == 1


def test_a_message_without_a_callback_is_no_processing(spans: Spans, topic: Topic) -> None:
    got: list[Any] = []
    topic.client.message_callback_add(f"{topic.name}/last", lambda *_: got.append(1))
    topic.client.publish(f"{topic.name}/first", b"one")
    topic.client.publish(f"{topic.name}/last", b"two")
    topic.pump(lambda: bool(got))
    (process,) = of_type(spans, "process")
    assert process.name == f"process {topic.name}/last"


@pytest.mark.parametrize("by_position", [True, False])
def test_properties_are_used_again_and_again(spans: Spans, topic: Topic, by_position: bool) -> None:
    given = properties([("shop", "north")])
    given.ContentType = "text/plain"
    got: list[Any] = []
    topic.client.on_message = lambda client, userdata, message: got.append(message)
    for _ in range(2):
        if by_position:
            topic.client.publish(topic.name, b"one", 1, False, given)
        else:
            topic.client.publish(topic.name, b"one", qos=1, properties=given)
    topic.pump(lambda: len(got) == 2)
    assert given.UserProperty == [("shop", "north")]
    assert [[name for name, _ in message.properties.UserProperty] for message in got] == [["shop", "traceparent"]] * 2
    assert got[0].properties.ContentType == "text/plain"
    assert [span.links for span in of_type(spans, "send")] == [[], []]
    assert [len(span.links) for span in of_type(spans, "process")] == [1, 1]


def test_what_cannot_be_sent_is_an_error_what_waits_is_none(spans: Spans) -> None:
    client = new_client(5)
    assert client.publish("nowhere", b"one").rc == mqtt.MQTT_ERR_NO_CONN
    assert client.publish("nowhere", b"one", qos=1).rc == mqtt.MQTT_ERR_NO_CONN
    lost, waiting = of_type(spans, "send")
    assert (lost.status, waiting.status) == ("ERROR", "UNSET")
    assert lost.attributes["error.type"] in ("MQTT_ERR_NO_CONN", "4")


def test_a_topic_that_is_none_is_the_programs_error(spans: Spans, topic: Topic) -> None:
    with pytest.raises(ValueError, match="wildcard"):
        topic.client.publish("a/+", b"one")
    (send,) = of_type(spans, "send")
    assert send.attributes["error.type"] == "ValueError"


def test_the_thread_of_a_client_does_not_belong_to_what_started_it(spans: Spans, topic: Topic) -> None:
    done = Event()
    topic.client.on_message = lambda *_: done.set()
    topic.client._reset_sockets(sockpair_only=True)  # the thread gets a pair of its own
    with trace.get_tracer("test").start_as_current_span("starting"):
        topic.client.loop_start()
    topic.client.publish(topic.name, b"one")
    assert done.wait(PATIENCE_S)
    topic.client.loop_stop()
    (process,) = of_type(spans, "process")
    assert process.parent_id is None
    assert process.trace_id != spans.named("starting")[0].trace_id


@pytest.mark.skipif(not hasattr(mqtt.Client, "ack"), reason="this paho-mqtt acknowledges by itself only")
def test_acknowledging_by_hand_is_a_client_span(spans: Spans, mosquitto_port: int) -> None:
    topic = Topic(mosquitto_port, 5)
    topic.client.manual_ack_set(True)
    topic.client.subscribe(topic.name, qos=1)
    got: list[int] = []

    def on_message(client: Any, userdata: Any, message: Any) -> None:
        if message.qos:  # the broker delivers once for each subscription
            client.ack(message.mid, message.qos)
        got.append(message.qos)

    topic.client.on_message = on_message
    topic.client.publish(topic.name, b"one", qos=1)
    topic.pump(lambda: 1 in got)
    topic.close()
    (process,) = (span for span in of_type(spans, "process") if spans.children_of(span))
    assert [span.name for span in spans.children_of(process)] == [f"ack 127.0.0.1:{mosquitto_port}"]
