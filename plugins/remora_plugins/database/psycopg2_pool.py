"""psycopg2's pools: they do not wait, so nothing times out; who asks for one connection too many gets an error."""

from __future__ import annotations

from remora.conventions.database_pools import Pools, PoolState, pool_name
from remora_plugins.database.pool_patches import borrowing, creating, returning

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
    patcher.before(module.AbstractConnectionPool, "__init__", pools.see)
    patcher.around_method(module.AbstractConnectionPool, "_connect", creating(pools))
    for kind in (module.SimpleConnectionPool, module.ThreadedConnectionPool):
        patcher.around_method(kind, "getconn", borrowing(pools))
        patcher.before(kind, "putconn", returning(pools, "conn"))


def _name(pool: Any) -> str:
    from psycopg2.extensions import make_dsn, parse_dsn  # psycopg2 has imported it

    known = {name: value for name, value in pool._kwargs.items() if name not in _NOT_OF_LIBPQ}
    text = pool._args[0] if pool._args else known.pop("dsn", "")
    if "database" in known:
        known["dbname"] = known.pop("database")
    told = parse_dsn(make_dsn(text, **known))
    host = told.get("host") or told.get("hostaddr")
    return pool_name(host, told.get("port") or (5432 if host and host[0] != "/" else None), told.get("dbname"))


_NOT_OF_LIBPQ = {"connection_factory", "cursor_factory", "async", "async_"}


def _state(_: Pool, pool: Any) -> PoolState | None:
    if pool.closed:
        return None
    return PoolState(len(pool._used), len(pool._pool), most=pool.maxconn, idle_most=pool.minconn)
