"""The pools of aiomysql and asyncmy, which has it from there."""

from __future__ import annotations

from time import perf_counter

from remora.conventions.database_pools import Pools, PoolState, pool_name, waiting
from remora_plugins.database.pool_patches import borrowing_async, returning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.database_pools import Pool


def patch(module: ModuleType, patcher: Patcher) -> None:
    pools = Pools(patcher.operations, _name, _state)
    if not pools.wanted:
        return
    patcher.before(module.Pool, "__init__", pools.see)
    filling = "_fill_free_pool" if hasattr(module.Pool, "_fill_free_pool") else "fill_free_pool"
    patcher.around_method(module.Pool, filling, _filling(pools))
    patcher.around_method(module.Pool, "_acquire", borrowing_async(pools))
    patcher.before(module.Pool, "release", returning(pools, "conn"))


def _filling(pools: Pools) -> Any:
    """The pool makes its connections one by one, and nobody else does meanwhile."""

    def fill(original: Any, pool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        async def run() -> Any:
            seen = pools.known(pool)
            if seen is None:
                return await original(*args, **kwargs)
            before, began = pool.size, perf_counter()
            result = await original(*args, **kwargs)
            made = pool.size - before
            took = perf_counter() - began
            for _ in range(made):
                seen.created(perf_counter() - took / made)
            return result

        return run()

    return fill


def _name(pool: Any) -> str:
    options = pool._conn_kwargs
    host, socket = options.get("host") or "localhost", options.get("unix_socket")
    port = None if socket else options.get("port") or 3306
    return pool_name(socket or host, port, options.get("db") or options.get("database"))


def _state(_: Pool, pool: Any) -> PoolState | None:
    if pool._closed:
        return None
    return PoolState(
        len(pool._used),
        len(pool._free),
        most=pool._free.maxlen,
        idle_least=pool._minsize,
        pending=waiting(pool._cond),
    )
