"""asyncpg"""

from __future__ import annotations

import asyncio
import io

import asyncpg
import pytest
from opentelemetry import trace

from plugins.database.blocking import Blocking
from plugins.database.contract import SqlDriverContract


class CursorOfAsyncpg:
    """What the contract asks a cursor, put to asyncpg's methods, which take arguments one by one."""

    def __init__(self, connection: Blocking) -> None:
        self._connection = connection
        self._rows = []

    def execute(self, *arguments):
        query, *values = arguments or [()]
        self._rows = self._connection.fetch(*([query] if arguments else []), *(values[0] if values else ()))

    def executemany(self, query, rows):
        self._connection.executemany(query, rows)

    def fetchone(self):
        return tuple(self._rows[0])


class BlockingConnection(Blocking):
    def cursor(self, *_):
        return CursorOfAsyncpg(self)


class TestAsyncpg(SqlDriverContract):
    system = "postgresql"
    exceptions = "asyncpg"
    mark = "$1"
    marks = "$1, $2"

    @pytest.fixture
    def loop(self):
        made = asyncio.new_event_loop()
        yield made
        made.close()

    @pytest.fixture
    def keywords(self, postgres):
        return {**postgres.keywords("database"), "ssl": False}

    @pytest.fixture
    def connection(self, keywords, loop, spans):
        made = BlockingConnection(loop.run_until_complete(asyncpg.connect(**keywords)), loop)
        spans.clear()
        yield made
        made.close()

    @pytest.fixture
    def another(self, keywords, loop, spans):
        made = BlockingConnection(loop.run_until_complete(asyncpg.connect(**keywords)), loop)
        spans.clear()
        yield made
        made.close()

    @pytest.fixture
    def table(self, connection, spans):
        connection.execute("CREATE TABLE goods (id INTEGER, name TEXT UNIQUE)")
        spans.clear()
        return "goods"

    @pytest.fixture(autouse=True)
    def place(self, postgres):
        self.expected = {"db.namespace": postgres.name, "server.address": postgres.host}

    def test_every_way_to_ask_is_one_span(self, spans, connection):
        assert connection.execute("SELECT 1") == "SELECT 1"
        assert connection.execute("SELECT $1::int", 1) == "SELECT 1"
        assert connection.fetchval("SELECT $1::int", 1) == 1
        assert connection.fetchrow("SELECT $1::int", 1) == (1,)
        assert connection.fetch("SELECT 1") == [(1,)]
        assert [span.name for span in spans] == ["SELECT"] * 5
        assert [span.attributes["db.query.text"] for span in spans] == (
            ["SELECT ?"] + ["SELECT $1::int"] * 3 + ["SELECT ?"]
        )

    def test_the_status_code_is_the_sqlstate_and_the_value_stays_here(self, spans, connection, table):
        connection.execute(f"INSERT INTO {table} VALUES ($1, $2)", 1, "hunter2")
        with pytest.raises(asyncpg.UniqueViolationError, match="violates"):
            connection.execute(f"INSERT INTO {table} VALUES ($1, $2)", 2, "hunter2")
        assert spans[1].attributes["db.response.status_code"] == "23505"
        assert "hunter2" not in repr([(span.attributes, span.status_description, span.events) for span in spans])

    def test_a_prepared_statement_is_a_span_each_time_it_runs(self, spans, connection, loop):
        async def main():
            statement = await connection.inner.prepare("SELECT $1::int")
            assert await statement.fetchval(1) == 1
            assert await statement.fetchrow(2) == (2,)
            assert await statement.fetch(3) == [(3,)]
            await statement.executemany([(4,), (5,)])

        loop.run_until_complete(main())
        assert [span.name for span in spans] == ["SELECT"] * 3 + ["BATCH SELECT"]
        assert {span.attributes["db.query.text"] for span in spans} == {"SELECT $1::int"}

    def test_a_cursor_is_one_span_and_a_transaction_none(self, spans, connection, loop):
        async def main():
            async with connection.inner.transaction():
                rows = [row[0] async for row in connection.inner.cursor("SELECT generate_series(1, 120)")]
                assert rows == list(range(1, 121))
                cursor = await connection.inner.cursor("SELECT generate_series(1, $1::int)", 9)
                assert len(await cursor.fetch(4)) == 4
                assert len(await cursor.fetch(9)) == 5
                async with connection.inner.transaction():
                    await connection.inner.execute("SELECT 1")

        loop.run_until_complete(main())
        assert [span.name for span in spans] == ["SELECT"] * 3

    def test_what_the_program_says_itself_is_told(self, spans, connection):
        for query in ("BEGIN", "COMMIT"):
            connection.execute(query)
        assert [span.name for span in spans] == ["BEGIN", "COMMIT"]

    def test_copying_is_a_span_that_names_the_table(self, spans, connection, table):
        connection.copy_records_to_table(table, records=[(1, "a"), (2, "b")])
        connection.copy_to_table(table, source=io.BytesIO(b"3\thunter2\n"), schema_name="public")
        found = io.BytesIO()
        connection.copy_from_table(table, output=found)
        connection.copy_from_query(f"SELECT name FROM {table} WHERE name = 'hunter2'", output=found)
        assert found.getvalue().endswith(b"hunter2\nhunter2\n")
        assert [span.name for span in spans] == [
            f"COPY {table}",
            f"COPY public.{table}",
            f"COPY {table}",
            f"SELECT {table}",
        ]
        assert spans[0].attributes["db.operation.name"] == "COPY"
        assert "hunter2" not in repr([span.attributes for span in spans])

    def test_a_pool_adds_nothing(self, spans, keywords, loop):
        async def main():
            async with asyncpg.create_pool(**keywords, min_size=1, max_size=2) as pool:
                spans.clear()
                with trace.get_tracer("test").start_as_current_span("around"):
                    await asyncio.gather(*(pool.fetchval("SELECT 1") for _ in range(4)))
                    async with pool.acquire() as connection:
                        assert isinstance(connection, asyncpg.Connection)
                        await connection.execute("SELECT 1")

        loop.run_until_complete(main())
        (around,) = spans.named("around")
        assert [span.name for span in spans.of_kind("CLIENT")] == ["SELECT"] * 5
        assert len(spans.children_of(around)) == 5

    def test_a_cancelled_query_is_no_failure(self, spans, connection, loop):
        async def main():
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(connection.inner.fetch("SELECT pg_sleep(5)"), 0.1)
            return await connection.inner.fetchval("SELECT 1")

        assert loop.run_until_complete(main()) == 1
        assert [span.status for span in spans] == ["UNSET", "UNSET"]
