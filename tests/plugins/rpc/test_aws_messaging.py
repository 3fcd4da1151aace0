"""SQS and SNS, by botocore and by aiobotocore, against a server of moto's."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
import pytest
from aiobotocore.session import get_session
from opentelemetry import baggage, context, trace

from plugins.messaging.contract import MessagingContract, Peer, message_parent
from plugins.rpc.aws_contract import REGION, aws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora.testing import Spans

__all__ = ["aws", "message_parent"]

CREDENTIALS = {"region_name": REGION, "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "x"}
BLOCKING_SESSION = botocore.session.get_session()  # which read their models once
SESSION = get_session()


def text(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


class Blocking:
    """Calls operations by botocore."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.clients: dict[str, Any] = {}

    def __call__(self, service: str, operation: str, **parameters: Any) -> Any:
        if service not in self.clients:
            self.clients[service] = BLOCKING_SESSION.create_client(service, endpoint_url=self.url, **CREDENTIALS)
        return getattr(self.clients[service], operation)(**parameters)

    def close(self) -> None:
        for client in self.clients.values():
            client.close()


class Asynchronous:
    """Calls operations by aiobotocore."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.loop = asyncio.new_event_loop()
        self.clients: dict[str, Any] = {}

    def __call__(self, service: str, operation: str, **parameters: Any) -> Any:
        async def calling() -> Any:
            if service not in self.clients:
                made = SESSION.create_client(service, endpoint_url=self.url, **CREDENTIALS)
                self.clients[service] = await made.__aenter__()
            return await getattr(self.clients[service], operation)(**parameters)

        return self.loop.run_until_complete(calling())

    def close(self) -> None:
        for client in self.clients.values():
            self.loop.run_until_complete(client.__aexit__(None, None, None))
        self.loop.close()


class Queue(Peer):
    def __init__(self, call: Any, spans: Spans) -> None:
        self.call = call
        self.name = f"queue-{uuid.uuid4().hex}"
        self.url = call("sqs", "create_queue", QueueName=self.name)["QueueUrl"]
        spans.clear()

    def send(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        attributes = {name: text(value) for name, value in (headers or {}).items()}
        given = {"MessageAttributes": attributes} if headers else {}
        self.call("sqs", "send_message", QueueUrl=self.url, MessageBody=body.decode(), **given)
        assert attributes == {name: text(value) for name, value in (headers or {}).items()}

    def fetch(self, **parameters: Any) -> list[dict[str, Any]]:
        got: list[dict[str, Any]] = self.call("sqs", "receive_message", QueueUrl=self.url, **parameters).get(
            "Messages", []
        )
        return got

    def receive(self) -> bytes | None:
        messages = self.fetch()
        return messages[0]["Body"].encode() if messages else None


@pytest.fixture(params=[Blocking, Asynchronous])
def peer(request: pytest.FixtureRequest, spans: Spans, aws: str) -> Iterator[Queue]:
    calls = request.param(aws)
    yield Queue(calls, spans)
    calls.close()


class TestSqs(MessagingContract):
    system = "aws_sqs"
    sends = "SendMessage"
    receives = "ReceiveMessage"
    processes = None  # polling is all there is

    def destination(self, peer: Queue) -> str:
        return peer.name


def of_type(spans: Spans, operation_type: str) -> list[Any]:
    return MessagingContract.of_type(spans, operation_type)


def test_one_operation_is_one_span_and_http_beneath_is_none(spans: Spans, peer: Queue) -> None:
    peer.send(b"one")
    (message,) = peer.fetch()
    peer.call("sqs", "delete_message", QueueUrl=peer.url, ReceiptHandle=message["ReceiptHandle"])
    assert [(span.name, span.kind) for span in spans] == [
        (f"SendMessage {peer.name}", "PRODUCER"),
        (f"ReceiveMessage {peer.name}", "CLIENT"),
        (f"DeleteMessage {peer.name}", "CLIENT"),
    ]
    for span in spans:
        assert span.attributes["aws.sqs.queue.url"] == peer.url
        assert span.attributes["aws.request_id"]
        assert "rpc.method" not in span.attributes
    sent, received, settled = spans
    assert sent.attributes["messaging.message.id"] == received.attributes["messaging.message.id"]
    assert settled.attributes["messaging.operation.type"] == "settle"
    calls = spans.metrics.named("rpc.client.call.duration")
    assert [point.attributes["rpc.method"] for point in calls] == ["SQS/CreateQueue"]
    assert spans.metrics.named("http.client.request.duration") == []


def test_a_poll_that_gets_nothing_leaves_no_span_at_all(spans: Spans, peer: Queue) -> None:
    assert peer.fetch() == []
    assert list(spans) == []


def test_a_batch_is_one_span_and_each_message_is_linked(spans: Spans, peer: Queue) -> None:
    entries = [{"Id": str(number), "MessageBody": f"body {number}"} for number in range(3)]
    peer.call("sqs", "send_message_batch", QueueUrl=peer.url, Entries=entries)
    assert all("MessageAttributes" not in entry for entry in entries)
    messages = peer.fetch(MaxNumberOfMessages=10)
    assert len(messages) == 3
    sent, received = spans
    assert (sent.name, sent.attributes["messaging.batch.message_count"]) == (f"SendMessageBatch {peer.name}", 3)
    assert received.attributes["messaging.batch.message_count"] == 3
    assert [link.span_id for link in received.links] == [sent.span_id] * 3
    (counted,) = spans.metrics.named("messaging.client.consumed.messages")
    assert counted.value == 3
    handles = [{"Id": str(at), "ReceiptHandle": one["ReceiptHandle"]} for at, one in enumerate(messages)]
    peer.call("sqs", "delete_message_batch", QueueUrl=peer.url, Entries=handles)
    (settled,) = of_type(spans, "settle")
    assert settled.attributes["messaging.batch.message_count"] == 3


def test_what_the_program_gets_is_what_it_asked_for(spans: Spans, peer: Queue) -> None:
    for _ in range(3):
        peer.send(b"one", {"shop": "north"})
    asked = ["shop"]
    first = peer.fetch(MessageAttributeNames=asked)
    second = peer.fetch()
    third = peer.fetch(MessageAttributeNames=["All"])
    assert asked == ["shop"]
    assert first[0]["MessageAttributes"] == {"shop": text("north")}
    assert "MessageAttributes" not in second[0]
    assert set(third[0]["MessageAttributes"]) == {"shop", "traceparent"}
    assert [len(span.links) for span in of_type(spans, "receive")] == [1, 1, 1]


def test_ten_attributes_are_all_that_a_message_may_have(spans: Spans, peer: Queue) -> None:
    headers = {f"name{number}": "value" for number in range(10)}
    peer.send(b"one", headers)
    (message,) = peer.fetch(MessageAttributeNames=["All"])
    assert set(message["MessageAttributes"]) == set(headers)
    sent, received = spans
    assert (sent.status, received.links) == ("UNSET", [])


def test_the_trace_comes_before_the_baggage_where_one_place_is_left(spans: Spans, peer: Queue) -> None:
    token = context.attach(baggage.set_baggage("tenant", "acme"))
    try:
        peer.send(b"one", {f"name{number}": "value" for number in range(9)})
    finally:
        context.detach(token)
    (message,) = peer.fetch(MessageAttributeNames=["All"])
    assert len(message["MessageAttributes"]) == 10
    assert "traceparent" in message["MessageAttributes"]
    (received,) = of_type(spans, "receive")
    assert len(received.links) == 1


def test_no_message_becomes_too_large_by_its_trace(spans: Spans, peer: Queue) -> None:
    peer.send(b"x" * 262_140)
    (message,) = peer.fetch(MessageAttributeNames=["All"])
    assert "MessageAttributes" not in message
    assert [span.status for span in spans] == ["UNSET", "UNSET"]


def test_a_refusal_is_named_by_its_code(spans: Spans, peer: Queue) -> None:
    nowhere = peer.url + "-gone"
    with pytest.raises(Exception, match="NonExistentQueue"):
        peer.call("sqs", "send_message", QueueUrl=nowhere, MessageBody="one")
    with pytest.raises(Exception, match="NonExistentQueue"):
        peer.call("sqs", "receive_message", QueueUrl=nowhere)
    assert [span.status for span in spans] == ["ERROR", "ERROR"]
    assert {span.attributes["error.type"] for span in spans} == {"AWS.SimpleQueueService.NonExistentQueue"}


def test_what_botocore_refuses_is_the_programs_error(spans: Spans, peer: Queue) -> None:
    with pytest.raises(Exception, match="Parameter validation failed"):
        peer.call("sqs", "send_message", QueueUrl=peer.url, MessageBody=7, MessageAttributes=[7])
    with pytest.raises(Exception, match="Parameter validation failed"):
        peer.call("sqs", "receive_message", QueueUrl=peer.url, MessageAttributeNames="All")
    assert [span.status for span in spans] == ["ERROR", "ERROR"]


def test_other_operations_of_the_service_stay_calls_of_its_api(spans: Spans, peer: Queue) -> None:
    peer.call("sqs", "get_queue_attributes", QueueUrl=peer.url)
    assert [span.name for span in spans] == ["SQS.GetQueueAttributes"]


@pytest.fixture
def topic(peer: Queue, spans: Spans) -> str:
    arn: str = peer.call("sns", "create_topic", Name=f"topic-{uuid.uuid4().hex}")["TopicArn"]
    spans.clear()
    return arn


@pytest.mark.parametrize("raw", ["true", "false"])
def test_what_comes_through_a_topic_is_linked_raw_or_wrapped(spans: Spans, peer: Queue, topic: str, raw: str) -> None:
    attributes = {"Attributes": {"RawMessageDelivery": raw}}
    endpoint = f"arn:aws:sqs:{REGION}:123456789012:{peer.name}"
    peer.call("sns", "subscribe", TopicArn=topic, Protocol="sqs", Endpoint=endpoint, **attributes)
    spans.clear()
    peer.call("sns", "publish", TopicArn=topic, Message="one")
    entries = [{"Id": "1", "Message": "two"}]
    peer.call("sns", "publish_batch", TopicArn=topic, PublishBatchRequestEntries=entries)
    bodies = [message["Body"] for message in peer.fetch(MaxNumberOfMessages=10)]
    assert sorted(body if raw == "true" else json.loads(body)["Message"] for body in bodies) == ["one", "two"]
    published, batch, received = spans
    name = topic.rpartition(":")[2]
    assert (published.name, published.kind) == (f"Publish {name}", "PRODUCER")
    assert published.attributes["messaging.system"] == "aws.sns"
    assert published.attributes["aws.sns.topic.arn"] == topic
    assert batch.attributes["messaging.batch.message_count"] == 1
    assert {link.span_id for link in received.links} == {published.span_id, batch.span_id}


def test_a_text_to_a_telephone_is_no_message_of_a_topic(spans: Spans, peer: Queue) -> None:
    peer.call("sns", "publish", PhoneNumber="+15555550100", Message="one")
    (span,) = spans
    assert span.name == "SNS.Publish"
    assert "5555550100" not in repr(span.attributes)


def test_resources_of_boto3_are_told_the_same(spans: Spans, aws: str) -> None:
    queue = boto3.session.Session().resource("sqs", endpoint_url=aws, **CREDENTIALS).create_queue(QueueName="three")
    spans.clear()
    with trace.get_tracer("test").start_as_current_span("around"):
        queue.send_message(MessageBody="one")
        (message,) = queue.receive_messages()
        message.delete()
    (around,) = spans.named("around")
    names = [span.name for span in spans.children_of(around)]
    assert names == ["SendMessage three", "ReceiveMessage three", "DeleteMessage three"]


def test_the_method_is_still_described(aws: str) -> None:
    client = BLOCKING_SESSION.create_client("sqs", endpoint_url=aws, **CREDENTIALS)
    assert client.receive_message.__name__ == "receive_message"
    with pytest.raises(TypeError, match="only accepts keyword arguments"):
        client.receive_message("queue")
