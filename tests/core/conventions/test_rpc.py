"""Remote procedure calls as the convention has them."""

from __future__ import annotations

import pytest

from remora.conventions.aws import AwsCall
from remora.conventions.call import HTTP_CLIENT
from remora.conventions.rpc import RpcClientCall, RpcServerCall


def test_a_call_without_a_method_is_called_by_its_system() -> None:
    assert RpcClientCall("grpc", "a/B").name() == "a/B"
    assert RpcServerCall("grpc", None).name() == "grpc"


def test_a_port_stands_only_beside_an_address() -> None:
    assert "server.port" not in RpcClientCall("grpc", "a/B", port=5).start()
    assert RpcClientCall("grpc", "a/B", host="shop", port=5).start()["server.port"] == 5


@pytest.mark.parametrize(
    ("code", "client_fails", "server_fails"),
    [
        ("OK", False, False),
        ("NOT_FOUND", True, False),
        ("CANCELLED", True, False),
        ("RESOURCE_EXHAUSTED", True, False),
        ("UNAVAILABLE", True, True),
        ("UNIMPLEMENTED", True, True),
    ],
)
def test_what_fails_depends_on_the_side(code: str, client_fails: bool, server_fails: bool) -> None:
    client, server = RpcClientCall("grpc", "a/B"), RpcServerCall("grpc", "a/B")
    client.status_code = server.status_code = code
    assert client.end(None).get("error.type") == (code if client_fails else None)
    assert server.end(None).get("error.type") == (code if server_fails else None)


def test_an_exception_names_the_failure_where_no_status_does() -> None:
    assert RpcClientCall("grpc", "a/B").end(ValueError("no"))["error.type"] == "ValueError"
    assert "error.type" not in RpcClientCall("grpc", "a/B").end(GeneratorExit())


def test_details_are_redacted_and_cut() -> None:
    call = RpcClientCall("grpc", "a/B")
    call.details = b"token=hunter2 " + b"x" * 5000
    told = call.description(None)
    assert told is not None
    assert "hunter2" not in told
    assert len(told) == 512


def test_a_call_from_within_another_is_a_call_of_its_own() -> None:
    assert not RpcClientCall("grpc", "a/B").doubles(RpcClientCall("grpc", "a/B"))


def test_http_beneath_an_aws_call_is_part_of_it() -> None:
    assert AwsCall.family & HTTP_CLIENT


@pytest.mark.parametrize(
    ("endpoint", "address", "port"),
    [
        ("https://s3.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com", 443),
        ("http://user:secret@[::1]:4566/path", "::1", 4566),
    ],
)
def test_an_aws_endpoint_is_an_address_and_a_port(endpoint: str, address: str, port: int) -> None:
    start = AwsCall("S3", "ListBuckets", {}, region="eu-west-1", endpoint=endpoint).start()
    assert (start["server.address"], start["server.port"]) == (address, port)


def test_an_aws_call_survives_parameters_of_any_kind() -> None:
    odd = {"Limit": object(), "AttributesToGet": 7, "ProvisionedThroughput": "x", "RequestItems": 5, "TableName": None}
    start = AwsCall("DynamoDB", "Query", odd).start()
    assert start["db.operation.name"] == "Query"
    assert AwsCall("DynamoDB", "Query", "nothing").start()["rpc.method"] == "DynamoDB/Query"


def test_item_collections_stay_out_because_they_quote_keys() -> None:
    call = AwsCall("DynamoDB", "PutItem", {"TableName": "t"})
    call.answer = {"ItemCollectionMetrics": {"ItemCollectionKey": {"id": {"S": "hunter2"}}}, "Count": 1}
    assert "hunter2" not in repr(call.end(None))
