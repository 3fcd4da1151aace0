"""The metrics of the conventions: names, units, attributes and bucket boundaries, spelled once.

A metric's attributes are those of the call's span, by the same keys.
"""

from __future__ import annotations

from remora.conventions.keys import (
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
    """One metric: a histogram if it has ``boundaries``, else an up-down counter of calls that are under way."""

    __slots__ = ("boundaries", "description", "keys", "name", "unit")

    def __init__(
        self, name: str, unit: str, description: str, keys: tuple[str, ...], boundaries: tuple[float, ...] = ()
    ) -> None:
        self.name = name
        self.unit = unit
        self.description = description
        self.keys = keys
        self.boundaries = boundaries

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
