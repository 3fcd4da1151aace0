"""pymongo: one pool for each server of a cluster, and one more for its monitor, which is not the program's."""

from __future__ import annotations

from remora.conventions.database_pools import Pools, PoolState, pool_name
from remora_plugins.database.pool_patches import (
    borrowing,
    borrowing_async,
    creating,
    creating_async,
    returning,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.database_pools import Pool


def patch(module: ModuleType, patcher: Patcher) -> None:
    _patch(module, patcher, borrowing, creating)


def patch_asyncio(module: ModuleType, patcher: Patcher) -> None:
    _patch(module, patcher, borrowing_async, creating_async)


def _patch(module: ModuleType, patcher: Patcher, borrow: Any, create: Any) -> None:
    pools = Pools(patcher.operations, _name, _state, _is_of_the_program)
    if not pools.wanted:
        return

    def timed_out(pool: Any, *_: Any, **__: Any) -> None:
        seen = pools.known(pool)
        if seen is not None:
            seen.timed_out()

    patcher.around_method(module.Pool, "_get_conn", borrow(pools))
    patcher.before(module.Pool, "checkin", returning(pools, "conn"))
    patcher.around_method(module.Pool, "connect", create(pools))
    patcher.before(module.Pool, "_raise_wait_queue_timeout", timed_out)


def _name(pool: Any) -> str:
    host, port = pool.address
    return pool_name(host, port, None)


def _state(_: Pool, pool: Any) -> PoolState | None:
    if pool.closed:
        return None
    most = pool.max_pool_size
    return PoolState(
        pool.active_sockets,
        len(pool.conns),
        most=most if most != float("inf") else None,
        idle_least=pool.opts.min_pool_size,
        pending=max(pool.operation_count - pool.active_sockets, 0),
    )


def _is_of_the_program(pool: Any) -> bool:
    monitors: bool | None = getattr(pool, "is_sdam", None)
    return bool(pool.handshake) if monitors is None else not monitors
