"""SQLAlchemy's pools"""

from __future__ import annotations

import pytest
import sqlalchemy
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from plugins.database.pool_contract import SIZE, AsyncPoolContract, Opened, Opening, Told, WaitingPoolContract


@pytest.fixture
def name(postgres):
    return f"{postgres.host}:{postgres.port}/{postgres.name}"


def _url(postgres, dialect):
    return sqlalchemy.engine.make_url(postgres.url).set(drivername=f"postgresql+{dialect}", password="hunter2")


def _options(patient):
    return {"pool_size": 1, "max_overflow": SIZE - 1, "pool_timeout": 20.0 if patient else 0.05}


class TestSqlalchemyPool(WaitingPoolContract):
    idle_most = 1
    timed_out = sqlalchemy.exc.TimeoutError

    @pytest.fixture
    def open_pool(self, postgres):
        def opening(patient=False):
            engine = sqlalchemy.create_engine(_url(postgres, "psycopg2"), **_options(patient))
            return Opened(
                engine.pool, engine.raw_connection, lambda connection: connection.close(), engine.pool.dispose
            )

        made = Opening(opening)
        yield made
        made.close()

    def test_another_pool_after_dispose_goes_on_under_the_same_name(self, spans, postgres, name):
        engine = sqlalchemy.create_engine(_url(postgres, "psycopg2"), **_options(False))
        before = engine.pool
        with engine.connect():
            assert Told(spans, name).value("count", "used") == 1
        engine.dispose()
        assert engine.pool is not before
        with engine.connect() as connection:
            assert connection.scalar(sqlalchemy.text("SELECT 1")) == 1
            assert Told(spans, name).value("count", "used") == 1
        told = Told(spans, name)
        assert (told.value("count", "used"), told.value("count", "idle")) == (0, 1)
        assert told.count("use_time") == 2
        assert Told(spans, f"{name}#2").points == {}
        engine.dispose()
        assert "hunter2" not in repr(spans.metrics)

    def test_a_name_that_the_program_gives_is_the_name(self, spans, postgres):
        engine = sqlalchemy.create_engine(_url(postgres, "psycopg2"), pool_logging_name="orders")
        with engine.connect():
            assert Told(spans, "orders").value("count", "used") == 1
        engine.dispose()

    def test_what_keeps_no_connections_is_no_pool(self, spans, postgres, name):
        engine = sqlalchemy.create_engine(_url(postgres, "psycopg2"), poolclass=NullPool)
        with engine.connect() as connection:
            assert connection.scalar(sqlalchemy.text("SELECT 1")) == 1
        assert Told(spans, name).points == {}


class TestAsyncSqlalchemyPool(AsyncPoolContract):
    idle_most = 1
    timed_out = sqlalchemy.exc.TimeoutError

    @pytest.fixture
    def open_pool(self, postgres, loop):
        def opening(patient=False):
            engine = create_async_engine(_url(postgres, "asyncpg"), **_options(patient))

            async def acquire():
                return await engine.connect()

            return self.opened(
                loop, engine.sync_engine.pool, acquire, lambda connection: connection.close(), engine.dispose
            )

        made = Opening(opening)
        yield made
        made.close()
