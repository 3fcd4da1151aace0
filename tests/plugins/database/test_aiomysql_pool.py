"""The pools of aiomysql and asyncmy"""

from __future__ import annotations

import asyncio

import aiomysql
import asyncmy
import pytest

from plugins.database.pool_contract import SIZE, AsyncPoolContract, Opening, Told


@pytest.fixture
def name(mariadb):
    return f"{mariadb.host}:{mariadb.port}/{mariadb.name}"


class TestAiomysqlPool(AsyncPoolContract):
    library = aiomysql
    idle_least = 1
    timed_out = None

    @pytest.fixture
    def open_pool(self, mariadb, loop):
        def opening(patient=False):
            async def made():
                return await self.library.create_pool(minsize=1, maxsize=SIZE, **mariadb.keywords("db"))

            pool = loop.run_until_complete(made())

            async def close():
                pool.close()
                await pool.wait_closed()

            async def release(connection):
                await pool.release(connection)

            def acquire():
                # The pool itself waits for ever: who does not want to says so outside, which is no time-out of its own.
                if patient or pool.freesize or pool.size < SIZE:
                    return pool.acquire()
                return asyncio.wait_for(pool.acquire(), 0.05)

            return self.opened(loop, pool, acquire, release, close)

        made = Opening(opening)
        yield made
        made.close()

    def test_leaving_the_context_gives_back(self, spans, open_pool, name, loop):
        opened = open_pool()

        async def query():
            async with opened.pool.acquire() as connection, connection.cursor() as cursor:
                await cursor.execute("SELECT 1")
                return Told(spans, name).value("count", "used")

        assert loop.run_until_complete(query()) == 1
        told = Told(spans, name)
        assert told.value("count", "used") == 0
        assert told.count("use_time") == 1


class TestAsyncmyPool(TestAiomysqlPool):
    library = asyncmy
