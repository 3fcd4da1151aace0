"""What every AWS SDK's instrumentation must do, against a server of moto's; a test class says how to call."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from support.servers import accepts_connections, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora.testing import CollectedSpan, Spans

ACCESS_KEY, SECRET_KEY, TOKEN = "AKIAIOSFODNN7EXAMPLE", "hunter2-secret-key", "hunter2-session-token"
REGION = "eu-west-1"


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """The URL of a moto server in a process of its own."""
    port = free_port()
    command = [sys.executable, "-c", "import sys; from moto.server import main; main(sys.argv[1:])"]
    with subprocess.Popen(
        [*command, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        patience = time.monotonic() + 60
        while not accepts_connections(port):
            assert server.poll() is None, "moto's server has ended"
            assert time.monotonic() < patience, "moto's server does not answer"
            time.sleep(0.05)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


class AwsContract:
    """``run`` makes calls (operation in snake case, parameters) by one client and returns the last result.

    ``handlers`` are events of botocore's with functions to register for them.
    """

    def run(self, url: str, service: str, *calls: tuple[str, dict[str, Any]], **options: Any) -> Any:
        raise NotImplementedError

    @staticmethod
    def only(spans: Spans) -> CollectedSpan:
        (span,) = spans
        return span

    def test_one_operation_is_one_client_span_and_http_beneath_is_none(self, spans: Spans, aws: str) -> None:
        self.run(aws, "s3", ("list_buckets", {}))
        span = self.only(spans)
        assert (span.name, span.kind, span.status) == ("S3.ListBuckets", "CLIENT", "UNSET")
        expected = {
            "rpc.system.name": "aws-api",
            "rpc.method": "S3/ListBuckets",
            "cloud.region": REGION,
            "server.address": "127.0.0.1",
            "server.port": int(aws.rpartition(":")[2]),
            "http.response.status_code": 200,
        }
        assert expected.items() <= span.attributes.items()
        assert span.attributes["aws.request_id"]
        (measured,) = spans.metrics.named("rpc.client.call.duration")
        assert measured.attributes["rpc.method"] == "S3/ListBuckets"
        assert spans.metrics.named("http.client.request.duration") == []
        assert "error.type" not in span.attributes
        assert "http.request.resend_count" not in span.attributes

    def test_the_call_is_a_child_of_what_is_around_it(self, spans: Spans, aws: str) -> None:
        with trace.get_tracer("test").start_as_current_span("around"):
            self.run(aws, "s3", ("list_buckets", {}))
        (around,) = spans.named("around")
        assert [span.name for span in spans.children_of(around)] == ["S3.ListBuckets"]

    def test_s3_names_bucket_and_key(self, spans: Spans, aws: str) -> None:
        name = f"bucket-{uuid.uuid4().hex}"
        bucket = {"Bucket": name, "CreateBucketConfiguration": {"LocationConstraint": REGION}}
        put = {"Bucket": name, "Key": "a/b.txt", "Body": b"hunter2"}
        copy = {"Bucket": name, "Key": "c.txt", "CopySource": {"Bucket": name, "Key": "a/b.txt"}}
        self.run(aws, "s3", ("create_bucket", bucket), ("put_object", put), ("copy_object", copy))
        created, stored, copied = spans
        assert created.attributes["aws.s3.bucket"] == name
        assert "aws.s3.key" not in created.attributes
        assert (stored.name, stored.attributes["aws.s3.key"]) == ("S3.PutObject", "a/b.txt")
        assert copied.attributes["aws.s3.copy_source"] == f"{name}/a/b.txt"
        assert "hunter2" not in repr([span.attributes for span in spans])

    def test_a_refusal_is_named_by_its_code(self, spans: Spans, aws: str) -> None:
        with pytest.raises(Exception, match="NoSuchBucket") as raised:
            self.run(aws, "s3", ("get_object", {"Bucket": "nowhere", "Key": "k"}))
        span = self.only(spans)
        assert type(raised.value).__name__ == "NoSuchBucket"
        assert (span.status, span.attributes["error.type"]) == ("ERROR", "NoSuchBucket")
        assert span.attributes["http.response.status_code"] == 404
        assert [event.name for event in span.events] == ["exception"]

    def test_parameters_that_do_not_fit_are_the_programs_error(self, spans: Spans, aws: str) -> None:
        with pytest.raises(Exception, match="Parameter validation failed"):
            self.run(aws, "dynamodb", ("query", {"TableName": "t", "Limit": "many", "AttributesToGet": 7}))
        span = self.only(spans)
        assert span.attributes["error.type"] == "botocore.exceptions.ParamValidationError"
        assert "http.response.status_code" not in span.attributes

    def test_a_server_that_is_not_there(self, spans: Spans) -> None:
        with pytest.raises(Exception, match=r"[Cc]onnect"):
            self.run("http://127.0.0.1:1", "s3", ("list_buckets", {}), retries={"max_attempts": 0})
        assert self.only(spans).attributes["error.type"] == "botocore.exceptions.EndpointConnectionError"

    def test_dynamodb_has_the_attributes_of_a_database(self, spans: Spans, aws: str) -> None:
        name = f"stock-{uuid.uuid4().hex}"
        table = {
            "TableName": name,
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "ProvisionedThroughput": {"ReadCapacityUnits": 3, "WriteCapacityUnits": 2},
        }
        item = {"TableName": name, "Item": {"id": {"S": "hunter2"}}, "ReturnConsumedCapacity": "TOTAL"}
        scan = {"TableName": name, "Limit": 5, "ConsistentRead": True, "ProjectionExpression": "id"}
        batch = {"RequestItems": {name: {"Keys": [{"id": {"S": "hunter2"}}]}}}
        self.run(
            aws,
            "dynamodb",
            ("create_table", table),
            ("put_item", item),
            ("scan", scan),
            ("batch_get_item", batch),
            ("list_tables", {"Limit": 7}),
        )
        created, put, scanned, got, listed = spans
        for span, operation in zip(
            spans, ("CreateTable", "PutItem", "Scan", "BatchGetItem", "ListTables"), strict=True
        ):
            assert span.name == f"DynamoDB.{operation}"
            assert span.attributes["db.system.name"] == "aws.dynamodb"
            assert span.attributes["db.operation.name"] == operation
        assert created.attributes["aws.dynamodb.provisioned_read_capacity"] == 3.0
        assert created.attributes["aws.dynamodb.attribute_definitions"] == [
            '{"AttributeName": "id", "AttributeType": "S"}'
        ]
        assert name in put.attributes["aws.dynamodb.consumed_capacity"][0]
        expected = {
            "aws.dynamodb.table_names": [name],
            "aws.dynamodb.limit": 5,
            "aws.dynamodb.consistent_read": True,
            "aws.dynamodb.projection": "id",
            "aws.dynamodb.count": 1,
            "aws.dynamodb.scanned_count": 1,
        }
        assert expected.items() <= scanned.attributes.items()
        assert got.attributes["aws.dynamodb.table_names"] == [name]
        assert listed.attributes["aws.dynamodb.table_count"] >= 1
        assert "hunter2" not in repr([span.attributes for span in spans])

    def test_requests_stay_as_they_were_signed(self, spans: Spans, aws: str) -> None:
        sent: list[Any] = []
        handlers = {"before-send.s3": lambda request, **_: sent.append(request)}
        self.run(aws, "s3", ("list_buckets", {}), handlers=handlers)
        (request,) = sent
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else value
            for name, value in request.headers.items()
        }
        assert headers["authorization"].startswith("AWS4-HMAC-SHA256")
        assert "traceparent" not in headers
        assert "traceparent" not in re.findall(r"SignedHeaders=([^,]+)", headers["authorization"])[0]

    def test_no_credential_is_in_any_span(self, spans: Spans, aws: str) -> None:
        self.run(aws, "sts", ("get_caller_identity", {}))
        self.run(aws, "sqs", ("create_queue", {"QueueName": "q"}))
        with pytest.raises(Exception, match="SignatureDoesNotMatch"):
            self.run(
                aws,
                "s3",
                ("list_buckets", {}),
                handlers={"after-call.s3": _signature_refused},
            )
        assert len(spans) == 3
        told = repr([(span.attributes, span.status_description, [e.attributes for e in span.events]) for span in spans])
        assert "SignatureDoesNotMatch" in told
        assert not [secret for secret in (ACCESS_KEY, SECRET_KEY, TOKEN) if secret in told]


def _signature_refused(http_response: Any, parsed: dict[str, Any], **_: Any) -> None:
    """As S3 says it, which quotes what was signed."""
    http_response.status_code = 403
    parsed["Error"] = {
        "Code": "SignatureDoesNotMatch",
        "Message": f"The Canonical String: x-amz-security-token:{TOKEN}, access key {ACCESS_KEY}",
    }
