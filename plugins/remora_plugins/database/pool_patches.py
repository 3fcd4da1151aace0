"""Bodies for what all pools have: somebody asks for a connection and gives it back, and the pool makes one.

None of them fails where a library is not as expected: the connection goes its way, and the fault is counted.
"""

from __future__ import annotations

from time import perf_counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from remora.conventions.database_pools import Pool, Pools

    Body = Callable[[Any, Any, tuple[Any, ...], dict[str, Any]], Any]
    Told = Callable[[Any], Any]


def itself(thing: Any) -> Any:
    return thing


def never(_: BaseException) -> bool:
    return False


def borrowing(pools: Pools, timed_out: Callable[[BaseException], bool] = never, connection_of: Told = itself) -> Body:
    """For ``around_method`` of what hands out connections; ``connection_of(result)`` is what comes back later."""

    def borrow(original: Any, pool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        seen = pools.of(pool)
        if seen is None:
            return original(*args, **kwargs)
        began = perf_counter()
        try:
            result = original(*args, **kwargs)
        except Exception as error:
            if timed_out(error):
                seen.timed_out()
            raise
        seen.borrowed(result if connection_of is itself else _asked(pools, connection_of, result), began)
        return result

    return borrow


def borrowing_async(
    pools: Pools,
    timed_out: Callable[[BaseException], bool] = never,
    pool_of: Told = itself,
    connection_of: Told = itself,
) -> Body:
    """``borrowing`` for a coroutine function; ``pool_of(instance)`` is what the pool goes by."""

    def borrow(original: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        async def run() -> Any:
            seen = _seen(pools, pool_of, instance)
            if seen is None:
                return await original(*args, **kwargs)
            began = perf_counter()
            try:
                result = await original(*args, **kwargs)
            except Exception as error:
                if timed_out(error):
                    seen.timed_out()
                raise
            seen.borrowed(_asked(pools, connection_of, result), began)
            return result

        return run()

    return borrow


def creating(pools: Pools, pool_of: Told = itself) -> Body:
    """For ``around_method`` of what makes a connection; an attempt that fails is not measured."""

    def create(original: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        began = perf_counter()
        result = original(*args, **kwargs)
        seen = _seen(pools, pool_of, instance)
        if seen is not None:
            seen.created(began)
        return result

    return create


def creating_async(pools: Pools, pool_of: Told = itself, name: Callable[[Any], str] | None = None) -> Body:
    """``creating`` for a coroutine function; ``name(connection)`` names a pool that cannot tell where it leads."""

    def create(original: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        async def run() -> Any:
            began = perf_counter()
            result = await original(*args, **kwargs)
            seen = _seen(pools, pool_of, instance)
            if seen is not None:
                if name is not None:
                    seen.call(name, result)
                seen.created(began)
            return result

        return run()

    return create


def returning(pools: Pools, argument: str, pool_of: Told = itself) -> Callable[..., None]:
    """For ``before`` of what takes a connection back as its first argument, of that name."""

    known = pools.known

    # Guarded by ``before``, as all that sees arguments only.
    def returned(instance: Any, connection: Any = None, *_: Any, **named: Any) -> None:
        seen = known(instance if pool_of is itself else pool_of(instance))
        if seen is not None:
            seen.returned(named.get(argument) if connection is None else connection)

    return returned


def _seen(pools: Pools, pool_of: Told, instance: Any) -> Pool | None:
    pool = _asked(pools, pool_of, instance)
    return pools.of(pool) if pool is not None else None


def _asked(pools: Pools, told: Told, thing: Any) -> Any:
    try:
        return told(thing)
    except Exception as error:
        pools.fault(error)
        return None
