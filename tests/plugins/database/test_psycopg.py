"""psycopg 3"""

from __future__ import annotations

import asyncio

import psycopg
import psycopg_pool
import pytest
from psycopg import sql

from plugins.database.contract import SqlDriverContract


class TestPsycopg(SqlDriverContract):
    system = "postgresql"
    exceptions = "psycopg"

    @pytest.fixture
    def connection(self, postgres, spans):
        with psycopg.connect(**postgres.keywords(), autocommit=True) as made:
            spans.clear()
            yield made

    @pytest.fixture
    def another(self, postgres, spans):
        with psycopg.connect(**postgres.keywords(), autocommit=True) as made:
            spans.clear()
            yield made

    @pytest.fixture
    def table(self, connection, spans):
        connection.execute("CREATE TABLE goods (id INTEGER, name TEXT)")
        spans.clear()
        return "goods"

    def where(self, connection):
        return {"db.namespace": connection.info.dbname, "server.address": connection.info.host}

    def test_the_status_code_is_the_sqlstate(self, spans, connection):
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT 1 FROM no_such_table")
        assert spans[0].attributes["db.response.status_code"] == "42P01"

    def test_composed_queries_are_shown_as_text(self, spans, connection, table):
        connection.execute(sql.SQL("SELECT name FROM {} WHERE id = %s").format(sql.Identifier(table)), (1,))
        assert spans[0].attributes["db.query.text"] == 'SELECT name FROM "goods" WHERE id = %s'

    def test_a_server_side_cursor_is_traced_once(self, spans, connection):
        with connection.transaction():
            spans.clear()
            with connection.cursor("named") as cursor:
                cursor.execute("SELECT generate_series(1, 3)")
                assert len(cursor.fetchall()) == 3
        assert "SELECT" in [span.name for span in spans]

    def test_a_streamed_query_lasts_to_its_last_row(self, spans, connection):
        assert list(connection.cursor().stream("SELECT generate_series(1, 3)")) == [(1,), (2,), (3,)]
        assert [span.name for span in spans] == ["SELECT"]

    def test_the_async_side_is_traced_alike(self, spans, postgres):
        async def main():
            async with await psycopg.AsyncConnection.connect(**postgres.keywords(), autocommit=True) as connection:
                spans.clear()
                async with connection.cursor() as cursor:
                    await cursor.execute("SELECT 1")
                    assert await cursor.fetchone() == (1,)
                await asyncio.gather(*(one.execute("SELECT 1") for one in [connection] * 3))

        asyncio.run(main())
        assert [span.name for span in spans] == ["SELECT"] * 4
        assert all(span.parent_id is None for span in spans)

    def test_copying_is_one_span_that_lasts_as_long_as_its_block(self, spans, connection, table):
        with connection.cursor() as cursor:
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                copy.write_row((1, "hunter2"))
                assert len(spans) == 0
            with pytest.raises(psycopg.errors.UndefinedTable):
                with cursor.copy("COPY no_such_table FROM STDIN"):
                    pytest.fail("there is no such table")
            with pytest.raises(ZeroDivisionError), cursor.copy(f"COPY {table} TO STDOUT"):
                raise ZeroDivisionError
            with cursor.copy(f"COPY (SELECT name FROM {table} WHERE name = %s) TO STDOUT", ("hunter2",)) as copy:
                assert list(copy.rows()) == [("hunter2",)]
        assert [span.status for span in spans] == ["UNSET", "ERROR", "ERROR", "UNSET"]
        assert spans[0].attributes["db.query.text"] == f"COPY {table} FROM STDIN"
        assert spans[1].attributes["db.response.status_code"] == "42P01"
        assert "hunter2" not in repr([span.attributes for span in spans])

    def test_copying_is_traced_on_the_async_side(self, spans, postgres, table):
        async def main():
            async with await psycopg.AsyncConnection.connect(**postgres.keywords(), autocommit=True) as connection:
                spans.clear()
                async with connection.cursor() as cursor:
                    async with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                        await copy.write_row((1, "a"))
                    async with cursor.copy(f"COPY {table} TO STDOUT") as copy:
                        assert [row async for row in copy.rows()] == [("1", "a")]

        asyncio.run(main())
        assert [span.attributes["db.query.text"] for span in spans] == [
            f"COPY {table} FROM STDIN",
            f"COPY {table} TO STDOUT",
        ]

    def test_a_pipeline_is_a_span_for_each_query(self, spans, connection, table):
        with connection.pipeline():
            cursor = connection.cursor()
            cursor.execute(f"INSERT INTO {table} VALUES (%s, %s)", (1, "a"))
            cursor.execute(f"SELECT name FROM {table}")
            assert cursor.fetchall() == [("a",)]
            cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s)", [(2, "b"), (3, "c")])
        assert [span.name for span in spans] == [f"INSERT {table}", f"SELECT {table}", f"BATCH INSERT {table}"]

    def test_a_pool_adds_nothing(self, spans, postgres):
        spans.clear()
        with psycopg_pool.ConnectionPool(postgres.url, min_size=1, max_size=2, open=True) as pool:
            for _ in range(3):
                with pool.connection() as connection:
                    assert connection.execute("SELECT 1").fetchone() == (1,)

        async def main():
            async with psycopg_pool.AsyncConnectionPool(postgres.url, min_size=1, max_size=2, open=False) as pool:
                async with pool.connection() as connection:
                    await connection.execute("SELECT 2")

        asyncio.run(main())
        assert [span.name for span in spans] == ["SELECT"] * 4
