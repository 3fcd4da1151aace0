"""asyncpg's pool"""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from plugins.database.pool_contract import SIZE, AsyncPoolContract, Opening, Told


@pytest.fixture
def name(postgres):
    return f"{postgres.host}:{postgres.port}/{postgres.name}"


class TestAsyncpgPool(AsyncPoolContract):
    idle_least = 0
    timed_out = asyncio.TimeoutError

    def referable(self, pool):
        return pool._queue

    if asyncpg.__version__.startswith("0.27."):

        def test_a_pool_is_not_kept_alive_and_is_not_told_of_any_more(self, spans, open_pool, name):
            """This version keeps its pools by itself: what is left is that a closed one is not told of."""
            opened = open_pool()
            opened.give_back(opened.borrow())
            opened.close()
            assert Told(spans, name).value("count", "used") is None

    @pytest.fixture
    def open_pool(self, postgres, loop):
        def opening(patient=False):
            async def made():
                return await asyncpg.create_pool(postgres.url, min_size=0, max_size=SIZE)

            pool = loop.run_until_complete(made())
            timeout = 20.0 if patient else None

            def acquire():
                # Somebody who waits has a limit; who finds a connection must not be in a hurry on a busy machine.
                wait = timeout or (0.05 if pool._queue.empty() else 20.0)
                return pool.acquire(timeout=wait)

            return self.opened(loop, pool, acquire, pool.release, pool.close)

        made = Opening(opening)
        yield made
        made.close()

    def test_queries_by_the_pool_borrow_a_connection(self, spans, open_pool, name, loop):
        opened = open_pool()
        assert loop.run_until_complete(opened.pool.fetchval("SELECT 1")) == 1
        told = Told(spans, name)
        assert told.value("count", "used") == 0
        assert told.count("use_time") == 1
