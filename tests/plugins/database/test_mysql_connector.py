"""mysql-connector-python"""

from __future__ import annotations

import asyncio
import gc
import warnings
from contextlib import ExitStack, closing

import mysql.connector
import mysql.connector.aio
import mysql.connector.pooling
import pytest
from opentelemetry import trace

from plugins.database.mysql_contract import MysqlDriverContract


@pytest.fixture
def keywords(mariadb):
    return {**mariadb.keywords("database"), "password": "", "ssl_disabled": True}


class TestMysqlConnector(MysqlDriverContract):
    exceptions = "mysql"

    @pytest.fixture(params=[True, False] if mysql.connector.HAVE_CEXT else [True], ids=lambda pure: f"pure={pure}")
    def connect(self, keywords, request):
        with ExitStack() as stack:

            def connected(**options):
                made = mysql.connector.connect(
                    **keywords, autocommit=True, use_pure=request.param, consume_results=True, **options
                )
                return stack.enter_context(closing(made))

            yield connected

    @pytest.mark.parametrize(
        "options", [{"dictionary": True}, {"buffered": True}, {"raw": True}, {"dictionary": True, "buffered": True}]
    )
    def test_every_kind_of_cursor_is_traced_once(self, spans, connection, options):
        with connection.cursor(**options) as cursor:
            cursor.execute("SELECT 1 AS one")
            assert len(cursor.fetchall()) == 1
        assert [span.name for span in spans] == ["SELECT"]

    def test_a_prepared_cursor_is_traced_once(self, spans, connection, table):
        with connection.cursor(prepared=True) as cursor:
            cursor.execute(f"SELECT id FROM {table} WHERE name = %s", ("hunter2",))
            assert cursor.fetchall() == []
            cursor.executemany(f"INSERT INTO {table} (id, name) VALUES (%s, %s)", [(1, "a"), (2, "b")])
        assert [span.name for span in spans] == [f"SELECT {table}", f"BATCH INSERT {table}"]

    def begin(self, connection):
        connection.start_transaction()

    def select(self, connection, database):
        connection.database = database

    def test_a_connection_of_a_pool_is_traced_alike(self, spans, keywords):
        pool = mysql.connector.pooling.MySQLConnectionPool(pool_name="shop", pool_size=1, use_pure=True, **keywords)
        spans.clear()
        for _ in range(2):
            connection = pool.get_connection()
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                assert cursor.fetchall() == [(1,)]
            connection.close()
        assert [span.name for span in spans] == ["SELECT", "SELECT"]
        assert self.expected.items() <= spans[1].attributes.items()
        pool._remove_connections()

    def test_the_async_side_is_traced_alike(self, spans, keywords):
        async def main():
            connection = await mysql.connector.aio.connect(**keywords, autocommit=True)
            spans.clear()
            async with await connection.cursor() as cursor:
                await cursor.execute("SELECT %s", (1,))
                assert await cursor.fetchall() == [(1,)]
                await connection.set_database("information_schema")
                await cursor.execute("SELECT 1")
                assert await cursor.fetchall() == [(1,)]
            await connection.close()

        asyncio.run(main())
        assert [span.name for span in spans] == ["SELECT", "SELECT"]
        assert self.expected.items() <= spans[0].attributes.items()
        assert spans[0].attributes["db.system.name"] == "mariadb"
        assert spans[1].attributes["db.namespace"] == "information_schema"

    def test_a_lost_connection_never_takes_the_plugin_out(self, spans, keywords, connection):
        cursor = mysql.connector.connect(**keywords, use_pure=True).cursor()
        gc.collect()
        for _ in range(15):
            with pytest.raises(mysql.connector.ProgrammingError, match="not connected"):
                cursor.execute("SELECT 1")
        spans.clear()
        connection.cursor().execute("SELECT 1")
        assert [span.name for span in spans] == ["SELECT"]

    def test_a_server_that_takes_no_query_attributes_gives_no_warning(self, connection):
        with trace.get_tracer("test").start_as_current_span("around"), warnings.catch_warnings():
            warnings.simplefilter("error")
            connection.cursor().execute("SELECT 1")
