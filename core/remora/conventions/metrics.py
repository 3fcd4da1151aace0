"""The metrics of the conventions: names, units, attributes and bucket boundaries, spelled once.

A metric's attributes are those of the call's span, by the same keys.
"""

from __future__ import annotations

from remora.conventions.keys import (
    DB_CLIENT_CONNECTION_POOL_NAME,
    DB_CLIENT_CONNECTION_STATE,
    DB_COLLECTION_NAME,
    DB_NAMESPACE,
    DB_OPERATION_NAME,
    DB_QUERY_SUMMARY,
    DB_RESPONSE_STATUS_CODE,
    DB_STORED_PROCEDURE_NAME,
    DB_SYSTEM_NAME,
    ERROR_TYPE,
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    HTTP_ROUTE,
    MESSAGING_CONSUMER_GROUP_NAME,
    MESSAGING_DESTINATION_NAME,
    MESSAGING_DESTINATION_PARTITION_ID,
    MESSAGING_DESTINATION_SUBSCRIPTION_NAME,
    MESSAGING_DESTINATION_TEMPLATE,
    MESSAGING_OPERATION_NAME,
    MESSAGING_OPERATION_TYPE,
    MESSAGING_SYSTEM,
    NETWORK_PEER_ADDRESS,
    NETWORK_PEER_PORT,
    NETWORK_PROTOCOL_NAME,
    NETWORK_PROTOCOL_VERSION,
    RPC_METHOD,
    RPC_RESPONSE_STATUS_CODE,
    RPC_SYSTEM_NAME,
    SERVER_ADDRESS,
    SERVER_PORT,
    URL_SCHEME,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class Metric:
    """One metric: a histogram if it has ``boundaries``, else a counter if ``monotonic``, else an up-down counter."""

    __slots__ = ("boundaries", "description", "keys", "monotonic", "name", "unit")

    def __init__(
        self,
        name: str,
        unit: str,
        description: str,
        keys: tuple[str, ...],
        boundaries: tuple[float, ...] = (),
        *,
        monotonic: bool = False,
    ) -> None:
        self.name = name
        self.unit = unit
        self.description = description
        self.keys = keys
        self.boundaries = boundaries
        self.monotonic = monotonic

    def __repr__(self) -> str:
        return f"Metric({self.name!r})"


SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
SHORT_SECONDS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)

HTTP_SERVER_REQUEST_DURATION: Final = Metric(
    "http.server.request.duration",
    "s",
    "Duration of HTTP server requests.",
    (
        HTTP_REQUEST_METHOD,
        URL_SCHEME,
        HTTP_RESPONSE_STATUS_CODE,
        HTTP_ROUTE,
        ERROR_TYPE,
        NETWORK_PROTOCOL_NAME,
        NETWORK_PROTOCOL_VERSION,
    ),
    SECONDS,
)
HTTP_SERVER_ACTIVE_REQUESTS: Final = Metric(
    "http.server.active_requests",
    "{request}",
    "Number of active HTTP server requests.",
    (HTTP_REQUEST_METHOD, URL_SCHEME),
)
HTTP_CLIENT_REQUEST_DURATION: Final = Metric(
    "http.client.request.duration",
    "s",
    "Duration of HTTP client requests.",
    (
        HTTP_REQUEST_METHOD,
        SERVER_ADDRESS,
        SERVER_PORT,
        HTTP_RESPONSE_STATUS_CODE,
        ERROR_TYPE,
        NETWORK_PROTOCOL_NAME,
        NETWORK_PROTOCOL_VERSION,
    ),
    SECONDS,
)
DB_CLIENT_OPERATION_DURATION: Final = Metric(
    "db.client.operation.duration",
    "s",
    "Duration of database client operations.",
    (
        DB_SYSTEM_NAME,
        DB_NAMESPACE,
        DB_COLLECTION_NAME,
        DB_OPERATION_NAME,
        DB_QUERY_SUMMARY,
        DB_STORED_PROCEDURE_NAME,
        DB_RESPONSE_STATUS_CODE,
        ERROR_TYPE,
        SERVER_ADDRESS,
        SERVER_PORT,
        NETWORK_PEER_ADDRESS,
        NETWORK_PEER_PORT,
    ),
    SHORT_SECONDS,
)
_POOL: Final = (DB_CLIENT_CONNECTION_POOL_NAME,)
DB_CLIENT_CONNECTION_COUNT: Final = Metric(
    "db.client.connection.count",
    "{connection}",
    "The number of connections that are currently in state described by the `state` attribute.",
    (*_POOL, DB_CLIENT_CONNECTION_STATE),
)
DB_CLIENT_CONNECTION_IDLE_MAX: Final = Metric(
    "db.client.connection.idle.max",
    "{connection}",
    "The maximum number of idle open connections allowed.",
    _POOL,
)
DB_CLIENT_CONNECTION_IDLE_MIN: Final = Metric(
    "db.client.connection.idle.min",
    "{connection}",
    "The minimum number of idle open connections allowed.",
    _POOL,
)
DB_CLIENT_CONNECTION_MAX: Final = Metric(
    "db.client.connection.max", "{connection}", "The maximum number of open connections allowed.", _POOL
)
DB_CLIENT_CONNECTION_PENDING_REQUESTS: Final = Metric(
    "db.client.connection.pending_requests",
    "{request}",
    "The number of current pending requests for an open connection.",
    _POOL,
)
DB_CLIENT_CONNECTION_TIMEOUTS: Final = Metric(
    "db.client.connection.timeouts",
    "{timeout}",
    "The number of connection timeouts that have occurred trying to obtain a connection from the pool.",
    _POOL,
    monotonic=True,
)
DB_CLIENT_CONNECTION_CREATE_TIME: Final = Metric(
    "db.client.connection.create_time", "s", "The time it took to create a new connection.", _POOL, SHORT_SECONDS
)
DB_CLIENT_CONNECTION_WAIT_TIME: Final = Metric(
    "db.client.connection.wait_time",
    "s",
    "The time it took to obtain an open connection from the pool.",
    _POOL,
    SHORT_SECONDS,
)
DB_CLIENT_CONNECTION_USE_TIME: Final = Metric(
    "db.client.connection.use_time",
    "s",
    "The time between borrowing a connection and returning it to the pool.",
    _POOL,
    SHORT_SECONDS,
)
RPC_SERVER_CALL_DURATION: Final = Metric(
    "rpc.server.call.duration",
    "s",
    "Measures the duration of an incoming Remote Procedure Call (RPC).",
    (RPC_SYSTEM_NAME, RPC_METHOD, RPC_RESPONSE_STATUS_CODE, ERROR_TYPE),
    SECONDS,
)
RPC_CLIENT_CALL_DURATION: Final = Metric(
    "rpc.client.call.duration",
    "s",
    "Measures the duration of an outgoing Remote Procedure Call (RPC).",
    (RPC_SYSTEM_NAME, RPC_METHOD, RPC_RESPONSE_STATUS_CODE, ERROR_TYPE, SERVER_ADDRESS, SERVER_PORT),
    SECONDS,
)
_SENDING: Final = (
    MESSAGING_SYSTEM,
    MESSAGING_OPERATION_NAME,
    MESSAGING_DESTINATION_NAME,
    MESSAGING_DESTINATION_TEMPLATE,
    MESSAGING_DESTINATION_PARTITION_ID,
    ERROR_TYPE,
    SERVER_ADDRESS,
    SERVER_PORT,
)
_CONSUMING: Final = (*_SENDING, MESSAGING_CONSUMER_GROUP_NAME, MESSAGING_DESTINATION_SUBSCRIPTION_NAME)
MESSAGING_CLIENT_OPERATION_DURATION: Final = Metric(
    "messaging.client.operation.duration",
    "s",
    "Duration of messaging operation initiated by a producer or consumer client.",
    (*_CONSUMING, MESSAGING_OPERATION_TYPE),
    SECONDS,
)
MESSAGING_PROCESS_DURATION: Final = Metric(
    "messaging.process.duration", "s", "Duration of processing operation.", _CONSUMING, SECONDS
)
MESSAGING_CLIENT_SENT_MESSAGES: Final = Metric(
    "messaging.client.sent.messages",
    "{message}",
    "Number of messages producer attempted to send to the broker.",
    _SENDING,
    monotonic=True,
)
MESSAGING_CLIENT_CONSUMED_MESSAGES: Final = Metric(
    "messaging.client.consumed.messages",
    "{message}",
    "Number of messages that were delivered to the application.",
    _CONSUMING,
    monotonic=True,
)
