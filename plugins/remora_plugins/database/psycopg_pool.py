"""psycopg_pool: blocking and asyncio pools, and those that keep nothing, name their methods alike."""

from __future__ import annotations

import re

from remora.conventions.database_pools import Pools, PoolState, pool_name
from remora_plugins.database.pool_patches import borrowing, borrowing_async, creating, creating_async, returning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.database_pools import Pool

_NAMED_BY_ITSELF = re.compile(r"pool-\d+").fullmatch


def patch_pool(module: ModuleType, patcher: Patcher) -> None:
    pools = Pools(patcher.operations, _own_name, _state)
    if pools.wanted:
        pool = module.ConnectionPool
        patcher.before(pool, "__init__", pools.see)
        patcher.around_method(pool, "getconn", borrowing(pools, _timed_out))
        patcher.before(pool, "putconn", returning(pools, "conn"))
        patcher.around_method(pool, "_connect", creating(pools))


def patch_async_pool(module: ModuleType, patcher: Patcher) -> None:
    pools = Pools(patcher.operations, _own_name, _state)
    if pools.wanted:
        pool = module.AsyncConnectionPool
        patcher.before(pool, "__init__", pools.see)
        patcher.around_method(pool, "getconn", borrowing_async(pools, _timed_out))
        patcher.before(pool, "putconn", returning(pools, "conn"))
        patcher.around_method(pool, "_connect", creating_async(pools))


def _own_name(pool: Any) -> str:
    if not _NAMED_BY_ITSELF(pool.name):
        return str(pool.name)
    from psycopg.conninfo import conninfo_to_dict  # the pool has imported it

    # A pool may be given functions that make these, at every connection anew.
    text = pool.conninfo if isinstance(pool.conninfo, str) else ""
    told = conninfo_to_dict(text, **(pool.kwargs if isinstance(pool.kwargs, dict) else {}))
    host = told.get("host") or told.get("hostaddr")
    if host is None and not told.get("dbname"):
        return str(pool.name)
    return pool_name(host, told.get("port") or (5432 if host and str(host)[0] != "/" else None), told.get("dbname"))


def _state(seen: Pool, pool: Any) -> PoolState | None:
    if pool._closed:
        return None
    # Who was cancelled or has waited too long stays in the queue until its turn comes.
    pending = sum(1 for client in list(pool._waiting) if client.error is None)
    return PoolState(len(seen.out), len(pool._pool), most=pool._max_size, idle_least=pool._min_size, pending=pending)


def _timed_out(error: BaseException) -> bool:
    return type(error).__name__ == "PoolTimeout"
