"""mysql-connector-python's pools: all connections are made at once; who asks for one too many gets an error."""

from __future__ import annotations

from functools import partial
from time import perf_counter

from remora.conventions.database_pools import Pools, PoolState, pool_name
from remora_plugins.database.pool_patches import borrowing, borrowing_async

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.database_pools import Pool


def patch(module: ModuleType, patcher: Patcher) -> None:
    pools = _pools(module, patcher)
    if not pools.wanted:
        return

    def adding(original: Any, pool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        began = perf_counter()
        result = original(*args, **kwargs)
        _added(pools, pool, began, args, kwargs)
        return result

    patcher.around_method(module.MySQLConnectionPool, "add_connection", adding)
    patcher.around_method(module.MySQLConnectionPool, "get_connection", borrowing(pools, connection_of=_connection))


def patch_asyncio(module: ModuleType, patcher: Patcher) -> None:
    pools = _pools(module, patcher)
    if not pools.wanted:
        return

    def adding(original: Any, pool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        async def run() -> Any:
            began = perf_counter()
            result = await original(*args, **kwargs)
            _added(pools, pool, began, args, kwargs)
            return result

        return run()

    patcher.around_method(module.MySQLConnectionPool, "add_connection", adding)
    patcher.around_method(
        module.MySQLConnectionPool, "get_connection", borrowing_async(pools, connection_of=_connection)
    )


def _pools(module: ModuleType, patcher: Patcher) -> Pools:
    pools = Pools(patcher.operations, partial(_name, module.generate_pool_name), _state)

    def closing(pooled: Any) -> None:
        seen = pools.known(pooled._cnx_pool)
        if seen is not None:
            seen.returned(pooled._cnx)

    if pools.wanted:
        patcher.before(module.MySQLConnectionPool, "__init__", pools.see)
        patcher.before(module.PooledMySQLConnection, "close", closing)
    return pools


def _added(pools: Pools, pool: Any, began: float, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    seen = pools.known(pool)
    if seen is not None and (args[0] if args else kwargs.get("cnx")) is None:  # else it comes back
        seen.created(began)


def _connection(pooled: Any) -> Any:
    return pooled._cnx


def _name(generated: Callable[..., str], pool: Any) -> str:
    options = pool._cnx_config
    try:
        by_itself = generated(**options) == pool._pool_name
    except Exception:  # there is nothing to make a name of
        by_itself = False
    if not by_itself:
        return str(pool._pool_name)
    # The one that the library makes up has the user in it.
    socket = options.get("unix_socket")
    port = None if socket else options.get("port") or 3306
    return pool_name(socket or options.get("host") or "127.0.0.1", port, options.get("database") or options.get("db"))


def _state(seen: Pool, pool: Any) -> PoolState:
    size = pool._pool_size
    return PoolState(len(seen.out), pool._cnx_queue.qsize(), most=size, idle_most=size)
