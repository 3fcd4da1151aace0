"""redis-py's and valkey-py's pools, blocking and asyncio; a cluster of the blocking kind has one for each node.

Taking a connection out and putting it back is part of every command, so only the pools that wait are timed: an ordinary
one has a connection, makes one, or fails.
"""

from __future__ import annotations

from time import perf_counter

from remora.conventions.database_pools import Pools, PoolState, pool_name, waiting
from remora_plugins.database.pool_patches import borrowing, borrowing_async, returning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.database_pools import Pool

_NO_LIMIT = 1 << 31  # what redis-py before 8 has where the program names none


def patch(module: ModuleType, patcher: Patcher) -> None:
    """``redis.connection`` and its like."""
    pools = Pools(patcher.operations, _name, _state)
    if not pools.wanted:
        return

    def connecting(original: Any, connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        began = perf_counter()
        result = original(*args, **kwargs)
        _created(connection, began)
        return result

    _patch(module, patcher, pools, connecting)
    patcher.around_method(module.BlockingConnectionPool, "get_connection", borrowing(pools, _timed_out))


def patch_asyncio(module: ModuleType, patcher: Patcher) -> None:
    """``redis.asyncio.connection`` and its like."""
    pools = Pools(patcher.operations, _name, _state)
    if not pools.wanted:
        return

    def connecting(original: Any, connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        async def run() -> Any:
            began = perf_counter()
            result = await original(*args, **kwargs)
            _created(connection, began)
            return result

        return run()

    _patch(module, patcher, pools, connecting)
    patcher.around_method(module.BlockingConnectionPool, "get_connection", borrowing_async(pools, _timed_out))


def _patch(module: ModuleType, patcher: Patcher, pools: Pools, connecting: Any) -> None:
    def making(original: Any, pool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        connection = original(*args, **kwargs)
        seen = pools.known(pool)
        try:
            connection._remora_pool = seen
        except AttributeError:
            return connection  # a class of the program's own
        return connection

    patcher.before(module.ConnectionPool, "__init__", pools.see)
    for kind in (module.ConnectionPool, module.BlockingConnectionPool):
        if "make_connection" in vars(kind):
            patcher.around_method(kind, "make_connection", making)
    for kind in (module.Connection, module.UnixDomainSocketConnection):
        patcher.around_method(kind, "_connect", connecting)
    patcher.before(module.BlockingConnectionPool, "release", returning(pools, "connection"))


def _created(connection: Any, began: float) -> None:
    seen = getattr(connection, "_remora_pool", None)
    if seen is not None:
        seen.created(began)


def _name(pool: Any) -> str:
    options = pool.connection_kwargs
    database = str(options.get("db") or 0)
    if "connection_pool" in options:  # of a sentinel's service, which may move to another server any time
        return pool_name(getattr(pool, "service_name", None), None, database)
    path = options.get("path")
    return pool_name(path or options.get("host") or "localhost", None if path else options.get("port", 6379), database)


def _state(_: Pool, pool: Any) -> PoolState:
    most = pool.max_connections if pool.max_connections < _NO_LIMIT else None
    places = getattr(pool, "pool", None)  # blocking: a queue that has None where there is no connection yet
    if places is not None and hasattr(places, "not_empty"):
        idle = sum(1 for connection in list(places.queue) if connection is not None)
        return PoolState(len(pool._connections) - idle, idle, most=most, pending=waiting(places.not_empty))
    condition = getattr(pool, "_condition", None)
    pending = waiting(condition) if condition is not None else None
    return PoolState(len(pool._in_use_connections), len(pool._available_connections), most=most, pending=pending)


def _timed_out(error: BaseException) -> bool:
    return error.args[:1] == ("No connection available.",)
