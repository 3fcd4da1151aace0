"""Cassandra: a database call of CQL, with what its own conventions add of consistency, pages and the coordinator."""

from __future__ import annotations

from remora.conventions import cassandra_errors
from remora.conventions.database import DEFAULT_PORTS, DatabaseCall
from remora.conventions.keys import (
    CASSANDRA_CONSISTENCY_LEVEL,
    CASSANDRA_COORDINATOR_DC,
    CASSANDRA_COORDINATOR_ID,
    CASSANDRA_PAGE_SIZE,
    CASSANDRA_QUERY_IDEMPOTENT,
    CASSANDRA_SPECULATIVE_EXECUTION_COUNT,
    SERVER_ADDRESS,
    SERVER_PORT,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SYSTEM = "cassandra"
_MAX_DESCRIPTION_CHARS = 512


class CassandraCall(DatabaseCall):
    """One request to a cluster, through all attempts and speculative executions of it.

    ``consistency`` is the level's name in any case. Afterwards ``speculative_executions`` may be set to how many there
    were beside the first, ``coordinator_id`` and ``coordinator_dc`` to the node that answered.
    """

    redacts = staticmethod(cassandra_errors.redacted)
    __slots__ = ("consistency", "coordinator_dc", "coordinator_id", "idempotent", "page_size", "speculative_executions")

    def __init__(
        self,
        text: object = None,
        *,
        parameterized: bool = False,
        namespace: object = None,
        host: object = None,
        port: object = None,
        operation: object = None,
        batch_size: object = None,
        consistency: str | None = None,
        page_size: int | None = None,
        idempotent: bool | None = None,
    ) -> None:
        super().__init__(
            _SYSTEM,
            text,
            parameterized=parameterized,
            namespace=namespace,
            host=host,
            port=port,
            operation=operation,
            batch_size=batch_size,
        )
        self.consistency = consistency
        self.page_size = page_size
        self.idempotent = idempotent
        self.speculative_executions = 0
        self.coordinator_id: str | None = None
        self.coordinator_dc: str | None = None

    def start(self) -> dict[str, Any]:
        """Adds how the request is to be executed."""
        attributes: dict[str, Any] = super().start()
        if self.consistency:
            attributes[CASSANDRA_CONSISTENCY_LEVEL] = self.consistency.lower()
        if self.page_size is not None:
            attributes[CASSANDRA_PAGE_SIZE] = self.page_size
        if self.idempotent is not None:
            attributes[CASSANDRA_QUERY_IDEMPOTENT] = self.idempotent
        return attributes

    def end(self, exception: Any) -> dict[str, Any]:
        """Adds the node that answered, which is the server where there are several to begin with."""
        if exception is not None and self.status_code is None:
            self.status_code = cassandra_errors.status_code(exception)
        attributes: dict[str, Any] = super().end(exception)
        if self.host is None and self.peer_address:
            attributes[SERVER_ADDRESS] = self.peer_address
            if self.peer_port is not None and self.peer_port != DEFAULT_PORTS[_SYSTEM]:
                attributes[SERVER_PORT] = self.peer_port
        if self.coordinator_id:
            attributes[CASSANDRA_COORDINATOR_ID] = self.coordinator_id
        if self.coordinator_dc:
            attributes[CASSANDRA_COORDINATOR_DC] = self.coordinator_dc
        if self.speculative_executions:
            attributes[CASSANDRA_SPECULATIVE_EXECUTION_COUNT] = self.speculative_executions
        return attributes

    def description(self, exception: Any) -> str | None:
        """The server's message without what it quotes of the query."""
        if exception is None:
            return None
        return cassandra_errors.redacted(str(exception))[:_MAX_DESCRIPTION_CHARS] or None
