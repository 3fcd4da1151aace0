"""Pools of database connections: what they hold is looked at when metrics are collected, through weak references.

Nothing here keeps a pool alive, takes a lock or talks to a server; what a pool can tell is read off it as it stands.
"""

from __future__ import annotations

from time import perf_counter
from weakref import ref

from remora.conventions import metrics
from remora.conventions.values_cy import exact_int, exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_IDLE, _USED = "idle", "used"
_MOST_POOLS = 256  # of one library; a program that makes more of them has something else in mind
_MOST_OUT = 10_000

_named: dict[str, Pool] = {}  # the names of all pools that are alive, whatever library they are of


class PoolState:
    """What a pool holds at one moment; None is for what the library does not know or has no limit for.

    ``used`` and ``idle`` count connections, ``pending`` requests that wait for one; ``most`` connections are allowed in
    all, ``idle_most`` and ``idle_least`` of them idle.
    """

    __slots__ = ("idle", "idle_least", "idle_most", "most", "pending", "used")

    def __init__(
        self,
        used: int,
        idle: int,
        *,
        most: int | None = None,
        idle_most: int | None = None,
        idle_least: int | None = None,
        pending: int | None = None,
    ) -> None:
        self.used = used
        self.idle = idle
        self.most = most
        self.idle_most = idle_most
        self.idle_least = idle_least
        self.pending = pending


def pool_name(host: object, port: object, namespace: object) -> str:
    """``server.address:server.port/db.namespace`` as far as known; the path of a socket has no port."""
    place = exact_text(host) or ""
    number = exact_int(port)
    if place and number is not None and place[0] != "/":
        place = f"{place}:{number}"
    name = exact_text(namespace)
    if not name:
        return place or "unknown"
    return f"{place}/{name}" if place else name


def waiting(condition: object) -> int | None:
    """How many wait at a condition or an event of threading or asyncio; None where it does not tell."""
    waiters = getattr(condition, "_waiters", None)
    return len(waiters) if waiters is not None else None


class Pool:
    """One pool that was seen. Its methods never raise."""

    __slots__ = ("_create", "_key", "_name", "_pools", "_reference", "_use", "_wait", "out")

    def __init__(self, pools: Pools, pool: Any, gone: Callable[[Any], None]) -> None:
        self._pools = pools
        self._reference = ref(pool, gone)
        self._name: str | None = None
        self._key: tuple[str] | None = None
        self._create: Any = None  # the histograms, once the pool has a name
        self._wait: Any = None
        self._use: Any = None
        self.out: dict[int, float] = {}  # id of a borrowed connection -> when that was

    def key(self) -> tuple[str] | None:
        """The pool's name as the key of a point; None as long as nobody knows it.

        It is made when it is first needed, as pools are seen before they are ready. Where another pool of that name is
        in use, a number is added.
        """
        if self._key is None:
            pool = self._reference()
            plain = self._name or (self._pools.name(pool) if pool is not None else "")
            if not plain:
                return None
            name, number = plain, 1
            while (holder := _named.setdefault(name, self)) is not self:
                if holder.ended():
                    _named[name] = self
                    break
                number += 1
                name = f"{plain}#{number}"
            self._key = (name,)
        return self._key

    def ended(self) -> bool:
        """Whether the pool is gone or closed."""
        try:
            return self.state() is None
        except Exception:
            return False

    def call(self, name: Callable[[Any], str], told_by: Any) -> None:
        """Names the pool by ``name(told_by)``, unless it has a name already."""
        if self._name is None and self._key is None:
            try:
                self._name = name(told_by)
            except Exception as error:
                self._pools.fault(error)

    def hand_over(self, successor: Pool) -> None:
        """The pool is done with, and another one goes on under its name."""
        successor._name = self._name
        if self._key is not None:
            successor._key = self._key
            _named[self._key[0]] = successor

    def let_go(self) -> None:
        """The pool is gone or closed: its name is free."""
        if self._key is not None and _named.get(self._key[0]) is self:
            del _named[self._key[0]]

    def created(self, began: float) -> None:
        """A connection was made; ``began`` is a time of ``perf_counter``."""
        took = perf_counter() - began
        if self._create is None:
            self._create = self._pools.histogram(metrics.DB_CLIENT_CONNECTION_CREATE_TIME, self)
        if self._create is not None:
            self._create.record(self._key, took, None)

    def borrowed(self, connection: Any, began: float) -> None:
        """Somebody who asked for a connection at ``began`` has got it."""
        now = perf_counter()
        if len(self.out) < _MOST_OUT:
            self.out[id(connection)] = now
        if self._wait is None:
            self._wait = self._pools.histogram(metrics.DB_CLIENT_CONNECTION_WAIT_TIME, self)
        if self._wait is not None:
            self._wait.record(self._key, now - began, None)

    def returned(self, connection: Any) -> None:
        """A connection is given back; twice, or one that was never borrowed, does nothing."""
        began = self.out.pop(id(connection), None)
        if began is None:
            return
        took = perf_counter() - began
        if self._use is None:
            self._use = self._pools.histogram(metrics.DB_CLIENT_CONNECTION_USE_TIME, self)
        if self._use is not None:
            self._use.record(self._key, took, None)

    def timed_out(self) -> None:
        """Somebody has waited for a connection in vain."""
        self._pools.count_timeout(self)

    def state(self) -> PoolState | None:
        """What the pool holds now; None when it is gone or closed."""
        pool = self._reference()
        return self._pools.state(self, pool) if pool is not None else None


class Pools:
    """The pools of one library.

    ``name(pool)`` is the pool's own name or one by ``pool_name``: never a user or a password; empty where it is not
    known yet. ``state(seen, pool)`` reads off what it holds, None for one that is closed; it is called by a thread of
    ours. ``counts(pool)`` tells whether it is one of the program's at all.
    """

    def __init__(
        self,
        operations: Any,
        name: Callable[[Any], str],
        state: Callable[[Pool, Any], PoolState | None],
        counts: Callable[[Any], bool] | None = None,
    ) -> None:
        self._operations = operations
        self._measuring = operations.measuring
        self._seen: dict[int, Pool] = {}
        self._observing = False
        self._timeouts: Any = None
        self._counts = counts
        self.name = name
        self.state = state

    @property
    def wanted(self) -> bool:
        """Whether metrics are made at all: if not, there is nothing to patch."""
        return self._measuring is not None

    def see(self, pool: Any, *_: Any, **__: Any) -> None:
        """Takes note of a pool; also as ``before`` its ``__init__``."""
        self.of(pool)

    def fault(self, error: Exception) -> None:
        """Counts a mistake of the plugin, or of ours."""
        self._operations.fault("pool", error)

    def known(self, pool: Any) -> Pool | None:
        """The pool, if it was seen."""
        return self._seen.get(id(pool))

    def of(self, pool: Any) -> Pool | None:
        """The pool, seen now at the latest; None where there are too many, or nothing can refer to it weakly."""
        known = self._seen.get(id(pool))
        if known is not None or len(self._seen) >= _MOST_POOLS:
            return known
        try:
            if self._counts is not None and not self._counts(pool):
                return None
        except Exception as error:
            self.fault(error)
            return None
        number, seen = id(pool), self._seen

        def gone(_: object) -> None:
            found = seen.pop(number, None)
            if found is not None:
                found.let_go()

        try:
            made = Pool(self, pool, gone)
        except TypeError:
            return None
        if not self._observing:
            self._observe()
        return seen.setdefault(number, made)

    def forget(self, pool: Any) -> None:
        """The pool is closed, though the program may keep it."""
        found = self._seen.pop(id(pool), None)
        if found is not None:
            found.let_go()

    def histogram(self, metric: metrics.Metric, pool: Pool) -> Any:
        """The histogram ``metric`` for a pool that has a name; None as long as it has none."""
        try:
            if pool.key() is None:
                return None
            return self._measuring.metering.histogram(
                self._measuring.scope, metric.name, metric.unit, metric.description, metric.keys, metric.boundaries
            )
        except Exception as error:
            self.fault(error)
            return None

    def count_timeout(self, pool: Pool) -> None:
        """One more in the counter of timeouts."""
        metric = metrics.DB_CLIENT_CONNECTION_TIMEOUTS
        try:
            if self._timeouts is None:
                self._timeouts = self._measuring.metering.counter(
                    self._measuring.scope, metric.name, metric.unit, metric.description, metric.keys, monotonic=True
                )
            key = pool.key()
            if key is not None:
                self._timeouts.add(key, 1)
        except Exception as error:
            self.fault(error)

    def _observe(self) -> None:
        self._observing = True
        for metric, values in _OBSERVED:
            self._measuring.metering.observe(
                self._measuring.scope,
                metric.name,
                metric.unit,
                metric.description,
                metric.keys,
                _sums(self, values),
            )

    def states(self) -> Iterator[tuple[tuple[str], PoolState]]:
        """Every pool that is alive and open: its name, and what it holds."""
        if not self._operations.active:
            return
        for pool in list(self._seen.values()):
            try:
                state = pool.state()
                name = pool.key() if state is not None else None
            except Exception as error:
                self.fault(error)
                continue
            if state is not None and name is not None:
                yield name, state


def _counts(name: tuple[str], state: PoolState) -> Iterator[tuple[tuple[str, ...], int]]:
    yield (*name, _IDLE), max(state.idle, 0)
    yield (*name, _USED), max(state.used, 0)


def _one(attribute: str) -> Callable[[tuple[str], PoolState], Iterator[tuple[tuple[str, ...], int]]]:
    def values(name: tuple[str], state: PoolState) -> Iterator[tuple[tuple[str, ...], int]]:
        value = getattr(state, attribute)
        if value is not None:
            yield name, value

    return values


_OBSERVED = (
    (metrics.DB_CLIENT_CONNECTION_COUNT, _counts),
    (metrics.DB_CLIENT_CONNECTION_IDLE_MAX, _one("idle_most")),
    (metrics.DB_CLIENT_CONNECTION_IDLE_MIN, _one("idle_least")),
    (metrics.DB_CLIENT_CONNECTION_MAX, _one("most")),
    (metrics.DB_CLIENT_CONNECTION_PENDING_REQUESTS, _one("pending")),
)


def _sums(pools: Pools, values: Any) -> Callable[[], list[tuple[tuple[str, ...], int]]]:
    def sums() -> list[tuple[tuple[str, ...], int]]:
        return [point for name, state in pools.states() for point in values(name, state)]

    return sums
