"""What every library's pool must tell; a test class only says how to open one, and what its numbers are."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from remora.testing import CollectedPoint, Spans

_PREFIX = "db.client.connection."
_PATIENCE_S = 20.0
SIZE = 2


class Opened:
    """A pool of at most SIZE connections, open; ``borrow`` and ``give_back`` are the program's way to use it."""

    def __init__(
        self, pool: Any, borrow: Callable[[], Any], give_back: Callable[[Any], Any], close: Callable[[], Any]
    ) -> None:
        self.pool = pool
        self.borrow = borrow
        self.give_back = give_back
        self.close = close


class Told:
    """The points of one pool at this moment."""

    def __init__(self, spans: Spans, name: str) -> None:
        points = [point for point in spans.metrics if point.attributes.get("db.client.connection.pool.name") == name]
        self.points: dict[tuple[str, str | None], CollectedPoint] = {
            (point.name.removeprefix(_PREFIX), point.attributes.get("db.client.connection.state")): point
            for point in points
        }
        assert len(points) == len(self.points), points

    def value(self, metric: str, state: str | None = None) -> float | None:
        point = self.points.get((metric, state))
        return point.value if point is not None else None

    def count(self, metric: str) -> int | None:
        point = self.points.get((metric, None))
        return point.count if point is not None else 0


class PoolContract:
    """Subclasses give ``open_pool()`` as a fixture that closes what it opened, and ``name``, that of the pool."""

    most: int | None = SIZE
    idle_most: int | None = None
    idle_least: int | None = None
    timed_out: Any = None  # the exception for who has waited too long, for pools that wait
    is_timed = True  # how long connections are waited for and used
    creates = True  # whether it tells how long it took to make a connection
    asked_before = 0  # what opening has cost already: a connection asked for, made, used and closed

    @pytest.fixture(autouse=True)
    def nothing_left(self) -> None:
        gc.collect()  # pools of earlier tests, whose names would still be taken

    def test_used_and_idle_connections_are_counted(self, spans: Spans, open_pool: Any, name: str) -> None:
        opened = open_pool()
        connection = opened.borrow()
        told = Told(spans, name)
        assert told.value("count", "used") == 1
        idle = told.value("count", "idle")
        assert idle is not None
        opened.give_back(connection)
        told = Told(spans, name)
        assert told.value("count", "used") == 0
        assert told.value("count", "idle") == idle + 1

    def test_every_connection_in_use_counts(self, spans: Spans, open_pool: Any, name: str) -> None:
        opened = open_pool()
        connections = [opened.borrow() for _ in range(SIZE)]
        assert Told(spans, name).value("count", "used") == SIZE
        for connection in connections:
            opened.give_back(connection)
        assert Told(spans, name).value("count", "used") == 0

    def test_limits_are_those_of_the_pool(self, spans: Spans, open_pool: Any, name: str) -> None:
        opened = open_pool()
        opened.give_back(opened.borrow())
        told = Told(spans, name)
        assert told.value("max") == self.most
        assert told.value("idle.max") == self.idle_most
        assert told.value("idle.min") == self.idle_least

    def test_waiting_and_using_is_timed(self, spans: Spans, open_pool: Any, name: str) -> None:
        opened = open_pool()
        for _ in range(3):
            opened.give_back(opened.borrow())
        told = Told(spans, name)
        times = 3 + self.asked_before if self.is_timed else 0
        assert told.count("wait_time") == times
        assert told.count("use_time") == times
        for metric in ("wait_time", "use_time") if times else ():
            point = told.points[metric, None]
            assert point.unit == "s"
            assert point.boundaries
            assert set(point.attributes) == {"db.client.connection.pool.name"}

    def test_making_a_connection_is_timed(self, spans: Spans, open_pool: Any, name: str) -> None:
        opened = open_pool()
        connections = [opened.borrow() for _ in range(SIZE)]
        for connection in connections:
            opened.give_back(connection)
        assert Told(spans, name).count("create_time") == (SIZE + self.asked_before if self.creates else 0)

    def test_units_and_instruments_are_the_conventions(self, spans: Spans, open_pool: Any, name: str) -> None:
        opened = open_pool()
        opened.give_back(opened.borrow())
        for (metric, _), point in Told(spans, name).points.items():
            assert point.kind == ("histogram" if metric.endswith("_time") else "sum")
            if point.kind == "sum":
                assert point.unit == ("{request}" if metric == "pending_requests" else "{connection}")

    def test_who_waits_too_long_is_counted_and_gets_the_librarys_own_error(
        self, spans: Spans, open_pool: Any, name: str
    ) -> None:
        opened = open_pool()
        connections = [opened.borrow() for _ in range(SIZE)]
        with pytest.raises(self.timed_out or Exception):
            opened.borrow()
        assert Told(spans, name).value("timeouts") == (1 if self.timed_out else None)
        for connection in connections:
            opened.give_back(connection)
        assert Told(spans, name).value("count", "used") == 0

    def test_a_second_pool_of_the_same_place_has_a_name_of_its_own(
        self, spans: Spans, open_pool: Any, name: str
    ) -> None:
        first, second = open_pool(), open_pool()
        one, other = first.borrow(), second.borrow()
        assert Told(spans, name).value("count", "used") == 1
        assert Told(spans, f"{name}#2").value("count", "used") == 1
        first.give_back(one)
        second.give_back(other)

    def test_a_pool_is_not_kept_alive_and_is_not_told_of_any_more(
        self, spans: Spans, open_pool: Any, name: str
    ) -> None:
        opened = open_pool()
        opened.give_back(opened.borrow())
        assert Told(spans, name).value("count", "used") == 0
        alive = weakref.ref(self.referable(opened.pool))
        opened.close()
        opened.__dict__.clear()
        del opened
        open_pool.forget()
        gc.collect()
        assert alive() is None
        assert Told(spans, name).value("count", "used") is None

    def referable(self, pool: Any) -> Any:
        return pool

    def test_the_user_is_no_part_of_any_name(self, spans: Spans, open_pool: Any, name: str) -> None:
        opened = open_pool()
        opened.give_back(opened.borrow())
        names = {point.attributes.get("db.client.connection.pool.name", "") for point in spans.metrics}
        assert name in names
        assert not any(user in told.replace(name, "") for told in names for user in ("root", "postgres", "@"))


class WaitingPoolContract(PoolContract):
    """Of pools that threads wait for."""

    def test_who_waits_is_pending(self, spans: Spans, open_pool: Any, name: str) -> None:
        opened = open_pool(patient=True)
        connections = [opened.borrow() for _ in range(SIZE)]
        got: list[Any] = []
        thread = threading.Thread(target=lambda: got.append(opened.borrow()))
        thread.start()
        try:
            self.until(lambda: Told(spans, name).value("pending_requests") == 1)
        finally:
            opened.give_back(connections.pop())
            thread.join(_PATIENCE_S)
        assert Told(spans, name).value("pending_requests") == 0
        for connection in (*got, *connections):
            opened.give_back(connection)

    @staticmethod
    def until(holds: Callable[[], bool]) -> None:
        pause = threading.Event()
        for _ in range(int(_PATIENCE_S / 0.01)):
            if holds():
                return
            pause.wait(0.01)
        raise AssertionError("nobody was pending")


class AsyncPoolContract(PoolContract):
    """Of pools of asyncio: ``opened(pool, acquire, release, close)`` makes coroutine functions ordinary ones."""

    @pytest.fixture
    def loop(self):
        made = asyncio.new_event_loop()
        try:
            yield made
        finally:
            made.run_until_complete(made.shutdown_asyncgens())
            made.close()

    @staticmethod
    def opened(loop: asyncio.AbstractEventLoop, pool: Any, acquire: Any, release: Any, close: Any) -> Opened:
        def run(function: Any) -> Any:
            async def awaited(*args: Any) -> Any:
                result = function(*args)
                return await result if hasattr(result, "__await__") else result

            return lambda *args: loop.run_until_complete(awaited(*args))

        made = Opened(pool, run(acquire), run(release), run(close))
        made.acquire = acquire  # type: ignore[attr-defined]
        return made

    def test_who_waits_is_pending(self, spans: Spans, open_pool: Any, name: str, loop: Any) -> None:
        opened = open_pool(patient=True)
        connections = [opened.borrow() for _ in range(SIZE)]

        async def pending() -> float | None:
            async def asking() -> Any:
                return await opened.acquire()

            task = asyncio.ensure_future(asking())
            for _ in range(50):
                await asyncio.sleep(0)
            waiting = Told(spans, name).value("pending_requests")
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):  # some say it in words of their own
                await task
            return waiting

        assert loop.run_until_complete(pending()) == 1
        for connection in connections:
            opened.give_back(connection)
        assert Told(spans, name).value("pending_requests") == 0


class Opening:
    """Remembers what it opened, to close it; ``forget`` lets go of it. Only for fixtures."""

    def __init__(self, opening: Callable[..., Opened]) -> None:
        self._opening = opening
        self._made: list[Opened] = []

    def __call__(self, **options: Any) -> Opened:
        made = self._opening(**options)
        self._made.append(made)
        return made

    def forget(self) -> None:
        self._made.clear()

    def close(self) -> None:
        for made in self._made:
            made.close()
        self._made.clear()
