"""A call of an AWS API: what the parameters and the answer tell of the service's own conventions.

HTTP beneath it, retries included, is part of it. It is signed, so no trace travels along.
"""

from __future__ import annotations

from remora.conventions import keys
from remora.conventions.call import HTTP_CLIENT, RPC_CLIENT
from remora.conventions.rpc import RpcClientCall
from remora.conventions.url_cy import DEFAULT_PORTS, host_and_port
from remora.conventions.values_cy import exact_int, exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


class AwsCall(RpcClientCall):
    """One operation of a service by an AWS SDK, from the program's call to the answer after all retries.

    ``service`` is the service's id ("S3"), ``parameters`` and ``answer`` (to be set afterwards) as the API has them.
    """

    __slots__ = ("answer", "operation", "parameters", "region", "service")

    family = RPC_CLIENT | HTTP_CLIENT
    injects = False

    def __init__(
        self, service: object, operation: object, parameters: object, *, region: object = None, endpoint: object = None
    ) -> None:
        self.service = exact_text(service) or ""
        self.operation = exact_text(operation) or ""
        super().__init__("aws-api", f"{self.service}/{self.operation}")
        self.region = region
        self.parameters: Mapping[str, Any] = parameters if isinstance(parameters, dict) else {}
        self.answer: object = None
        scheme, _, rest = (exact_text(endpoint) or "").partition("://")
        if rest:
            self.host, self.port = host_and_port(rest.partition("/")[0].rpartition("@")[2])
            if self.port is None:
                self.port = DEFAULT_PORTS.get(scheme)

    def release(self) -> None:
        """Lets go of what was sent and of what came back."""
        super().release()
        self.parameters = {}
        self.answer = None

    def whole(self, _: object) -> bool:
        """Always: an answer is read at once."""
        return True

    def name(self) -> str:
        """Service and operation with a dot between them, unlike other systems."""
        return f"{self.service}.{self.operation}"

    def start(self) -> dict[str, Any]:
        """All the convention lets a sampler see, and what the parameters name."""
        attributes = super().start()
        region = exact_text(self.region)
        if region:
            attributes[keys.CLOUD_REGION] = region
        if self.service == "S3":
            _put(attributes, self.parameters, _S3)
        elif self.service == "DynamoDB":
            attributes[keys.DB_SYSTEM_NAME] = "aws.dynamodb"
            attributes[keys.DB_OPERATION_NAME] = self.operation
            _put(attributes, self.parameters, _DYNAMODB)
            tables = self._tables()
            if tables:
                attributes[keys.AWS_DYNAMODB_TABLE_NAMES] = tables
        return attributes

    def end(self, exception: BaseException | None) -> dict[str, Any]:
        """The answer's own words for a failure are in the exception, which holds the answer then."""
        answer = self.answer if exception is None else getattr(exception, "response", None)
        metadata: Any = {}
        if isinstance(answer, dict):
            metadata = answer.get("ResponseMetadata") or {}
            failure = answer.get("Error")
            if exception is not None and isinstance(failure, dict):
                self.error_type = exact_text(failure.get("Code")) or None
        attributes = super().end(exception)
        _put(attributes, metadata, _METADATA)
        if not attributes.get(keys.HTTP_REQUEST_RESEND_COUNT, 1):
            del attributes[keys.HTTP_REQUEST_RESEND_COUNT]
        if self.service == "DynamoDB" and isinstance(answer, dict):
            _put(attributes, answer, _DYNAMODB_ANSWER)
            names = answer.get("TableNames")
            if isinstance(names, list):
                attributes[keys.AWS_DYNAMODB_TABLE_COUNT] = len(names)
        return attributes

    def _tables(self) -> list[str]:
        requests = self.parameters.get("RequestItems")
        names = requests if isinstance(requests, dict) else (self.parameters.get("TableName"),)
        return [text for text in map(exact_text, names) if text]


def _texts(value: Any) -> list[str]:
    return [text for text in map(exact_text, value) if text is not None]


def _whether(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _json(value: Any) -> list[str]:
    import json  # deferred: only descriptions of tables and capacities need it

    return [json.dumps(item, default=str) for item in (value if isinstance(value, list) else [value])]


def _source(value: Any) -> str | None:
    return f"{value.get('Bucket')}/{value.get('Key')}" if isinstance(value, dict) else exact_text(value)


def _number(name: str) -> Callable[[Any], float | None]:
    def number(value: Any) -> float | None:
        found = exact_int(value.get(name))
        return None if found is None else float(found)

    return number


if TYPE_CHECKING:
    _Fields = tuple[tuple[str, str, Callable[[Any], Any]], ...]

_METADATA: _Fields = (
    ("RequestId", keys.AWS_REQUEST_ID, exact_text),
    ("HostId", keys.AWS_EXTENDED_REQUEST_ID, exact_text),
    ("HTTPStatusCode", keys.HTTP_RESPONSE_STATUS_CODE, exact_int),
    ("RetryAttempts", keys.HTTP_REQUEST_RESEND_COUNT, exact_int),
)
_S3: _Fields = (
    ("Bucket", keys.AWS_S3_BUCKET, exact_text),
    ("Key", keys.AWS_S3_KEY, exact_text),
    ("CopySource", keys.AWS_S3_COPY_SOURCE, _source),
    ("UploadId", keys.AWS_S3_UPLOAD_ID, exact_text),
    ("PartNumber", keys.AWS_S3_PART_NUMBER, exact_int),
)
_DYNAMODB: _Fields = (
    ("AttributeDefinitions", keys.AWS_DYNAMODB_ATTRIBUTE_DEFINITIONS, _json),
    ("AttributesToGet", keys.AWS_DYNAMODB_ATTRIBUTES_TO_GET, _texts),
    ("ConsistentRead", keys.AWS_DYNAMODB_CONSISTENT_READ, _whether),
    ("ExclusiveStartTableName", keys.AWS_DYNAMODB_EXCLUSIVE_START_TABLE, exact_text),
    ("GlobalSecondaryIndexUpdates", keys.AWS_DYNAMODB_GLOBAL_SECONDARY_INDEX_UPDATES, _json),
    ("GlobalSecondaryIndexes", keys.AWS_DYNAMODB_GLOBAL_SECONDARY_INDEXES, _json),
    ("IndexName", keys.AWS_DYNAMODB_INDEX_NAME, exact_text),
    ("Limit", keys.AWS_DYNAMODB_LIMIT, exact_int),
    ("LocalSecondaryIndexes", keys.AWS_DYNAMODB_LOCAL_SECONDARY_INDEXES, _json),
    ("ProjectionExpression", keys.AWS_DYNAMODB_PROJECTION, exact_text),
    ("ProvisionedThroughput", keys.AWS_DYNAMODB_PROVISIONED_READ_CAPACITY, _number("ReadCapacityUnits")),
    ("ProvisionedThroughput", keys.AWS_DYNAMODB_PROVISIONED_WRITE_CAPACITY, _number("WriteCapacityUnits")),
    ("ScanIndexForward", keys.AWS_DYNAMODB_SCAN_FORWARD, _whether),
    ("Segment", keys.AWS_DYNAMODB_SEGMENT, exact_int),
    ("Select", keys.AWS_DYNAMODB_SELECT, exact_text),
    ("TotalSegments", keys.AWS_DYNAMODB_TOTAL_SEGMENTS, exact_int),
)
_DYNAMODB_ANSWER: _Fields = (
    ("ConsumedCapacity", keys.AWS_DYNAMODB_CONSUMED_CAPACITY, _json),
    ("Count", keys.AWS_DYNAMODB_COUNT, exact_int),
    ("ScannedCount", keys.AWS_DYNAMODB_SCANNED_COUNT, exact_int),
)


def _put(attributes: dict[str, Any], values: Mapping[str, Any], fields: Any) -> None:
    """What the program passes is not checked yet: a value that is none of its field's is left to AWS to refuse."""
    for name, key, read in fields:
        value = values.get(name)
        if value is not None:
            try:
                found = read(value)
            except (AttributeError, TypeError):
                continue
            if found is not None:
                attributes[key] = found
