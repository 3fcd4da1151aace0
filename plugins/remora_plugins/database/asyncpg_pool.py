"""asyncpg's pool, which nothing can refer to weakly: its queue of connections is what it goes by, and lives as long."""

from __future__ import annotations

from remora.conventions.database_pools import Pools, PoolState, pool_name
from remora_plugins.database.pool_patches import borrowing_async, creating_async, returning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.database_pools import Pool


def patch(module: ModuleType, patcher: Patcher) -> None:
    pools = Pools(patcher.operations, lambda _: "", _state)
    if not pools.wanted:
        return
    pool = module.Pool
    patcher.around_method(pool, "_acquire", borrowing_async(pools, _timed_out, _queue))
    patcher.before(pool, "release", returning(pools, "connection", _queue))
    connecting = creating_async(pools, _queue, _name)
    patcher.around_method(pool, "_get_new_connection", connecting)


def _queue(pool: Any) -> Any:
    return pool._queue


def _name(connection: Any) -> str:
    address = connection._addr
    host, port = (address, None) if isinstance(address, str) else (address[0], address[1])
    return pool_name(host, port, connection._params.database)


def _state(_: Pool, queue: Any) -> PoolState | None:
    # All places of the pool wait in the queue, those with a connection and those without, but those in use.
    places = list(queue._queue)
    if not places:
        return PoolState(queue.maxsize, 0, most=queue.maxsize, pending=len(queue._getters))
    pool = places[0]._pool
    if pool._closed:
        return None
    return PoolState(
        queue.maxsize - len(places),
        sum(1 for place in places if place._con is not None),
        most=queue.maxsize,
        idle_least=pool._minsize,
        pending=len(queue._getters),
    )


def _timed_out(error: BaseException) -> bool:
    return type(error).__name__ == "TimeoutError"
