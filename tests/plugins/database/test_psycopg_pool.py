"""psycopg_pool"""

from __future__ import annotations

import psycopg_pool
import pytest

from plugins.database.pool_contract import SIZE, AsyncPoolContract, Opened, Opening, Told, WaitingPoolContract

_SHORT_S, _LONG_S = 0.05, 20.0


@pytest.fixture
def name(postgres):
    return f"{postgres.host}:{postgres.port}/{postgres.name}"


class TestPsycopgPool(WaitingPoolContract):
    idle_least = SIZE
    timed_out = psycopg_pool.PoolTimeout

    @pytest.fixture
    def open_pool(self, postgres):
        def opening(patient=False):
            pool = psycopg_pool.ConnectionPool(
                postgres.url, min_size=SIZE, max_size=SIZE, timeout=_LONG_S, open=True, num_workers=1
            )
            pool.wait(_LONG_S)
            pool.timeout = _LONG_S if patient else _SHORT_S
            return Opened(pool, pool.getconn, pool.putconn, pool.close)

        made = Opening(opening)
        yield made
        made.close()

    def test_a_name_that_the_program_gives_is_the_name(self, spans, postgres):
        with psycopg_pool.ConnectionPool(postgres.url, min_size=1, name="orders") as pool, pool.connection():
            assert Told(spans, "orders").value("count", "used") == 1

    def test_leaving_connection_gives_back(self, spans, open_pool, name):
        opened = open_pool()
        with opened.pool.connection() as connection:
            connection.execute("SELECT 1")
            assert Told(spans, name).value("count", "used") == 1
        told = Told(spans, name)
        assert told.value("count", "used") == 0
        assert told.count("use_time") == 1

    def test_a_pool_that_keeps_nothing_is_told_too(self, spans, postgres, name):
        with psycopg_pool.NullConnectionPool(postgres.url, max_size=SIZE) as pool, pool.connection():
            told = Told(spans, name)
            assert (told.value("count", "used"), told.value("count", "idle")) == (1, 0)


class TestAsyncPsycopgPool(AsyncPoolContract):
    idle_least = SIZE
    timed_out = psycopg_pool.PoolTimeout

    @pytest.fixture
    def open_pool(self, postgres, loop):
        def opening(patient=False):
            async def made():
                pool = psycopg_pool.AsyncConnectionPool(postgres.url, min_size=SIZE, max_size=SIZE, open=False)
                await pool.open(wait=True, timeout=_LONG_S)
                pool.timeout = _LONG_S if patient else _SHORT_S
                return pool

            pool = loop.run_until_complete(made())
            return self.opened(loop, pool, pool.getconn, pool.putconn, pool.close)

        made = Opening(opening)
        yield made
        made.close()
