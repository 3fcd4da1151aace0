"""Every attribute key the product writes, spelled once, so that a rename in the conventions is one line here."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.44.0"

ERROR_TYPE: Final = "error.type"

HTTP_REQUEST_METHOD: Final = "http.request.method"
HTTP_REQUEST_METHOD_ORIGINAL: Final = "http.request.method_original"
HTTP_REQUEST_BODY_SIZE: Final = "http.request.body.size"
HTTP_REQUEST_HEADER: Final = "http.request.header"  # and the header's name
HTTP_REQUEST_RESEND_COUNT: Final = "http.request.resend_count"
HTTP_RESPONSE_STATUS_CODE: Final = "http.response.status_code"
HTTP_RESPONSE_BODY_SIZE: Final = "http.response.body.size"
HTTP_RESPONSE_HEADER: Final = "http.response.header"  # and the header's name
HTTP_ROUTE: Final = "http.route"

URL_FULL: Final = "url.full"
URL_PATH: Final = "url.path"
URL_QUERY: Final = "url.query"
URL_SCHEME: Final = "url.scheme"
URL_TEMPLATE: Final = "url.template"

SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
CLIENT_ADDRESS: Final = "client.address"
CLIENT_PORT: Final = "client.port"
USER_AGENT_ORIGINAL: Final = "user_agent.original"
USER_AGENT_SYNTHETIC_TYPE: Final = "user_agent.synthetic.type"

NETWORK_PEER_ADDRESS: Final = "network.peer.address"
NETWORK_PEER_PORT: Final = "network.peer.port"
NETWORK_LOCAL_ADDRESS: Final = "network.local.address"
NETWORK_LOCAL_PORT: Final = "network.local.port"
NETWORK_TRANSPORT: Final = "network.transport"
NETWORK_PROTOCOL_NAME: Final = "network.protocol.name"
NETWORK_PROTOCOL_VERSION: Final = "network.protocol.version"

DB_COLLECTION_NAME: Final = "db.collection.name"
DB_NAMESPACE: Final = "db.namespace"
DB_OPERATION_BATCH_SIZE: Final = "db.operation.batch.size"
DB_OPERATION_NAME: Final = "db.operation.name"
DB_OPERATION_PARAMETER: Final = "db.operation.parameter"  # and the parameter's name
DB_QUERY_SUMMARY: Final = "db.query.summary"
DB_QUERY_TEXT: Final = "db.query.text"
DB_RESPONSE_STATUS_CODE: Final = "db.response.status_code"
DB_STORED_PROCEDURE_NAME: Final = "db.stored_procedure.name"
DB_SYSTEM_NAME: Final = "db.system.name"

ELASTICSEARCH_NODE_NAME: Final = "elasticsearch.node.name"

RPC_METHOD: Final = "rpc.method"
RPC_METHOD_ORIGINAL: Final = "rpc.method_original"
RPC_RESPONSE_STATUS_CODE: Final = "rpc.response.status_code"
RPC_SYSTEM_NAME: Final = "rpc.system.name"

CLOUD_REGION: Final = "cloud.region"
AWS_EXTENDED_REQUEST_ID: Final = "aws.extended_request_id"
AWS_REQUEST_ID: Final = "aws.request_id"
AWS_S3_BUCKET: Final = "aws.s3.bucket"
AWS_S3_COPY_SOURCE: Final = "aws.s3.copy_source"
AWS_S3_KEY: Final = "aws.s3.key"
AWS_S3_PART_NUMBER: Final = "aws.s3.part_number"
AWS_S3_UPLOAD_ID: Final = "aws.s3.upload_id"
AWS_DYNAMODB_ATTRIBUTE_DEFINITIONS: Final = "aws.dynamodb.attribute_definitions"
AWS_DYNAMODB_ATTRIBUTES_TO_GET: Final = "aws.dynamodb.attributes_to_get"
AWS_DYNAMODB_CONSISTENT_READ: Final = "aws.dynamodb.consistent_read"
AWS_DYNAMODB_CONSUMED_CAPACITY: Final = "aws.dynamodb.consumed_capacity"
AWS_DYNAMODB_COUNT: Final = "aws.dynamodb.count"
AWS_DYNAMODB_EXCLUSIVE_START_TABLE: Final = "aws.dynamodb.exclusive_start_table"
AWS_DYNAMODB_GLOBAL_SECONDARY_INDEX_UPDATES: Final = "aws.dynamodb.global_secondary_index_updates"
AWS_DYNAMODB_GLOBAL_SECONDARY_INDEXES: Final = "aws.dynamodb.global_secondary_indexes"
AWS_DYNAMODB_INDEX_NAME: Final = "aws.dynamodb.index_name"
AWS_DYNAMODB_LIMIT: Final = "aws.dynamodb.limit"
AWS_DYNAMODB_LOCAL_SECONDARY_INDEXES: Final = "aws.dynamodb.local_secondary_indexes"
AWS_DYNAMODB_PROJECTION: Final = "aws.dynamodb.projection"
AWS_DYNAMODB_PROVISIONED_READ_CAPACITY: Final = "aws.dynamodb.provisioned_read_capacity"
AWS_DYNAMODB_PROVISIONED_WRITE_CAPACITY: Final = "aws.dynamodb.provisioned_write_capacity"
AWS_DYNAMODB_SCAN_FORWARD: Final = "aws.dynamodb.scan_forward"
AWS_DYNAMODB_SCANNED_COUNT: Final = "aws.dynamodb.scanned_count"
AWS_DYNAMODB_SEGMENT: Final = "aws.dynamodb.segment"
AWS_DYNAMODB_SELECT: Final = "aws.dynamodb.select"
AWS_DYNAMODB_TABLE_COUNT: Final = "aws.dynamodb.table_count"
AWS_DYNAMODB_TABLE_NAMES: Final = "aws.dynamodb.table_names"
AWS_DYNAMODB_TOTAL_SEGMENTS: Final = "aws.dynamodb.total_segments"
