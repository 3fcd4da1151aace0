"""SQLAlchemy: queries are told by the drivers; here are its pools, which engines have and do not share.

A pool does not know where it leads, so it is named by its engine's URL. ``dispose`` puts another one in its place.
"""

from __future__ import annotations

from remora.conventions.database_pools import Pools, PoolState, pool_name, waiting
from remora_plugins.database.pool_patches import borrowing, creating, returning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.database_pools import Pool


def patch(engines: ModuleType, patcher: Patcher) -> None:
    pools = Pools(patcher.operations, lambda _: "", _state)
    if not pools.wanted:
        return
    from sqlalchemy.pool import QueuePool, base  # sqlalchemy.engine has imported it

    def made(engine: Any, pool: Any = None, dialect: Any = None, url: Any = None, *_: Any, **__: Any) -> None:
        if isinstance(pool, QueuePool):
            seen = pools.of(pool)
            if seen is not None:
                seen.call(_name, (pool, url))

    def recreate(original: Any, pool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        successor = original(*args, **kwargs)
        seen = pools.known(pool)
        following = pools.of(successor) if seen is not None else None
        if seen is not None and following is not None:
            seen.hand_over(following)
            pools.forget(pool)
        return successor

    connect, create = borrowing(pools, _timed_out, _record), creating(pools, _pool)

    def connecting(original: Any, pool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if pools.known(pool) is None:  # of another kind, or without an engine
            return original(*args, **kwargs)
        return connect(original, pool, args, kwargs)

    def creating_known(original: Any, record: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if pools.known(_pool(record)) is None:
            return original(*args, **kwargs)
        return create(original, record, args, kwargs)

    patcher.before(engines.Engine, "__init__", made)
    patcher.around_method(QueuePool, "recreate", recreate)
    patcher.around_method(base.Pool, "connect", connecting)
    patcher.before(base.Pool, "_return_conn", returning(pools, "record"))
    patcher.around_method(base._ConnectionRecord, "_ConnectionRecord__connect", creating_known)


def _name(told_by: tuple[Any, Any]) -> str:
    pool, url = told_by
    return getattr(pool, "_orig_logging_name", None) or pool_name(url.host, url.port, url.database)


def _state(_: Pool, pool: Any) -> PoolState:
    size, overflow = pool.size(), pool._max_overflow
    queue = pool._pool
    return PoolState(
        pool.checkedout(),
        pool.checkedin(),
        most=size + overflow if size > 0 and overflow >= 0 else None,
        idle_most=size if size > 0 else None,
        pending=_waiting(queue),
    )


def _waiting(queue: Any) -> int | None:
    condition = getattr(queue, "not_empty", None)
    if condition is not None:
        return waiting(condition)
    # asyncio's queue is made with the first connection that is asked for.
    getters = getattr(vars(queue).get("_queue"), "_getters", None)
    return len(getters) if getters is not None else 0


def _record(fairy: Any) -> Any:
    return fairy._connection_record


def _pool(record: Any) -> Any:
    return record._ConnectionRecord__pool


def _timed_out(error: BaseException) -> bool:
    return type(error).__name__ == "TimeoutError" and type(error).__module__ == "sqlalchemy.exc"
