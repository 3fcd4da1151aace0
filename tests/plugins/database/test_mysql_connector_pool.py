"""mysql-connector-python's pools"""

from __future__ import annotations

import pytest
from mysql.connector import pooling

from plugins.database.pool_contract import SIZE, AsyncPoolContract, Opened, Opening, PoolContract, Told


@pytest.fixture
def name(mariadb):
    return f"{mariadb.host}:{mariadb.port}/{mariadb.name}"


class TestMysqlConnectorPool(PoolContract):
    idle_most = SIZE

    @pytest.fixture
    def open_pool(self, mariadb):
        def opening():
            pool = pooling.MySQLConnectionPool(pool_size=SIZE, **mariadb.keywords("database"))
            return Opened(pool, pool.get_connection, lambda connection: connection.close(), pool._remove_connections)

        made = Opening(opening)
        yield made
        made.close()

    def test_a_name_that_the_program_gives_is_the_name(self, spans, mariadb):
        pool = pooling.MySQLConnectionPool(pool_size=SIZE, pool_name="orders", **mariadb.keywords("database"))
        connection = pool.get_connection()
        assert Told(spans, "orders").value("count", "used") == 1
        connection.close()
        pool._remove_connections()


class TestAsyncMysqlConnectorPool(AsyncPoolContract):
    idle_most = SIZE

    @pytest.fixture
    def open_pool(self, mariadb, loop):
        aio = pytest.importorskip("mysql.connector.aio.pooling", reason="since 9.5")

        def opening(patient=False):
            async def made():
                options = {**mariadb.keywords("database"), "password": "", "ssl_disabled": True}
                pool = aio.MySQLConnectionPool(pool_size=SIZE, **options)
                await pool.initialize_pool()
                return pool

            pool = loop.run_until_complete(made())
            return self.opened(
                loop, pool, pool.get_connection, lambda connection: connection.close(), pool._remove_connections
            )

        made = Opening(opening)
        yield made
        made.close()

    test_who_waits_is_pending = None  # nobody does: it is an error at once
