"""psycopg2's pools"""

from __future__ import annotations

import pytest
from psycopg2 import pool as psycopg2_pool

from plugins.database.pool_contract import SIZE, Opened, Opening, PoolContract, Told


@pytest.fixture
def name(postgres):
    return f"{postgres.host}:{postgres.port}/{postgres.name}"


class TestThreadedPsycopg2Pool(PoolContract):
    kind = psycopg2_pool.ThreadedConnectionPool
    idle_most = SIZE

    @pytest.fixture
    def open_pool(self, postgres):
        def opening():
            pool = self.kind(SIZE, SIZE, postgres.url)
            return Opened(pool, pool.getconn, pool.putconn, pool.closeall)

        made = Opening(opening)
        yield made
        made.close()

    def test_arguments_may_be_named(self, spans, postgres, name):
        pool = self.kind(1, SIZE, password="hunter2", **postgres.keywords("database"))
        connection = pool.getconn()
        assert Told(spans, name).value("count", "used") == 1
        pool.putconn(conn=connection)
        told = Told(spans, name)
        assert (told.value("count", "used"), told.count("use_time")) == (0, 1)
        pool.closeall()
        assert "hunter2" not in repr(spans.metrics)


class TestSimplePsycopg2Pool(TestThreadedPsycopg2Pool):
    kind = psycopg2_pool.SimpleConnectionPool
