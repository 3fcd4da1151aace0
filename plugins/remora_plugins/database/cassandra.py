"""cassandra-driver: one ``ResponseFuture`` per request, sent again for each page, attempt and speculative execution.

What the driver asks on its own behalf (topology, schema, heartbeats) has no such future. A request ends in the driver's
thread, before those who wait for it are told.
"""

from __future__ import annotations

from remora.conventions.cassandra import CassandraCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_MAX_TEXTS = 16


def patch(module: ModuleType, patcher: Patcher) -> None:
    operations = patcher.operations
    levels = module.ConsistencyLevel.value_to_name

    def send(original: Any, future: Any, args: Any, kwargs: Any) -> Any:
        running = getattr(future, "_remora_running", None)
        if running is not None:  # within the request: another host, or one beside the first
            if kwargs.get("error_no_hosts", True) is False:
                running.call.speculative_executions += 1
            return original(*args, **kwargs)
        try:
            call = _call(future, levels)
            running = future._remora_running = operations.begin(call) if call is not None else None
        except Exception as error:
            operations.fault("reads", error)
            return original(*args, **kwargs)
        if running is None:
            return original(*args, **kwargs)
        try:
            return original(*args, **kwargs)
        except BaseException as error:
            future._remora_running = None
            running.end(error)
            raise
        finally:
            running.leave()

    def over(future: Any, exception: BaseException | None) -> None:
        running = getattr(future, "_remora_running", None)
        if running is None:
            return
        future._remora_running = None
        try:
            _put_coordinator(running.call, future.coordinator_host)
        except Exception as error:
            operations.fault("ends", error)
        running.end(exception)

    def succeeded(future: Any, *_: Any, **__: Any) -> None:
        over(future, None)

    def failed(future: Any, response: Any, *_: Any, **__: Any) -> None:
        over(future, response if isinstance(response, BaseException) else None)

    patcher.around_method(module.ResponseFuture, "send_request", send)
    patcher.before(module.ResponseFuture, "_set_final_result", succeeded)
    patcher.before(module.ResponseFuture, "_set_final_exception", failed)


def _call(future: Any, levels: dict[int, str]) -> CassandraCall:
    session, message, query = future.session, future.message, future.query
    host, port = _contact(session.cluster)
    if query is None:  # no statement yet: it is being prepared, the values' places marked
        return CassandraCall(
            message.query,
            parameterized=False,
            namespace=getattr(message, "keyspace", None) or session.keyspace,
            host=host,
            port=port,
            operation="PREPARE",
        )
    batch = getattr(query, "_statements_and_parameters", None)
    if batch is not None:
        text, parameterized = _batch(session, batch)
    else:
        text, parameterized = _statement(message, query, future.prepared_statement)
    return CassandraCall(
        text,
        parameterized=parameterized,
        namespace=getattr(query, "keyspace", None) or session.keyspace,
        host=host,
        port=port,
        batch_size=len(batch) if batch is not None else None,
        consistency=levels.get(message.consistency_level),
        page_size=getattr(message, "fetch_size", None),
        idempotent=bool(query.is_idempotent),
    )


def _statement(message: Any, query: Any, prepared: Any) -> tuple[Any, bool]:
    """The text as the program wrote it, and whether its values came apart from it."""
    if prepared is not None:
        return prepared.query_string, True
    text = getattr(query, "query_string", None)  # a graph's query is of another language
    return text, message.query != text


def _batch(session: Any, batch: Any) -> tuple[str | None, bool]:
    """The different texts in order. Those that are not prepared have their values in them by now."""
    prepared = session.cluster._prepared_statements
    texts: dict[str, None] = {}
    parameterized = True
    for is_prepared, query, _ in batch:
        statement = prepared.get(query) if is_prepared else None
        text = statement.query_string if is_prepared and statement is not None else None if is_prepared else query
        parameterized &= bool(is_prepared)
        if text is not None:
            texts[text] = None
        if len(texts) >= _MAX_TEXTS:
            break
    return "; ".join(texts) or None, parameterized


def _contact(cluster: Any) -> tuple[str | None, int | None]:
    """The one place the program named; of several, which one answers is known only then."""
    points = cluster.contact_points
    if not points or len(points) != 1:
        return None, None
    (point,) = points
    if isinstance(point, str):
        return point, cluster.port
    if isinstance(point, tuple):
        return point[0], point[1]
    return point.address, point.port


def _put_coordinator(call: CassandraCall, node: Any) -> None:
    if node is None:
        return
    endpoint = node.endpoint
    call.peer_address, call.peer_port = endpoint.address, endpoint.port
    call.coordinator_id = str(node.host_id) if node.host_id is not None else None
    call.coordinator_dc = node.datacenter
