"""aiosqlite"""

from __future__ import annotations

import asyncio
import sqlite3

import aiosqlite
import pytest
from opentelemetry import trace

from plugins.database.blocking import Blocking
from plugins.database.contract import SqlDriverContract


class TestAiosqlite(SqlDriverContract):
    system = "sqlite"
    exceptions = "sqlite3"
    mark = "?"
    expected = {"db.namespace": ":memory:"}  # noqa: RUF012 - never changed

    @pytest.fixture
    def loop(self):
        made = asyncio.new_event_loop()
        yield made
        made.close()

    @pytest.fixture
    def connection(self, loop):
        made = loop.run_until_complete(_connected())
        yield Blocking(made, loop)
        loop.run_until_complete(made.close())

    @pytest.fixture
    def another(self, loop):
        made = loop.run_until_complete(_connected())
        yield Blocking(made, loop)
        loop.run_until_complete(made.close())

    @pytest.fixture
    def table(self, loop, connection, spans):
        connection.cursor().execute("CREATE TABLE goods (id INTEGER, name TEXT)")
        spans.clear()
        return "goods"

    def test_each_query_belongs_to_whoever_asked_though_one_thread_runs_them_all(self, spans, loop):
        tracer = trace.get_tracer("test")

        async def one(connection, name):
            with tracer.start_as_current_span(name):
                await connection.execute("SELECT 1")

        async def main():
            with tracer.start_as_current_span("connecting"):
                connection = await _connected()
            await asyncio.gather(*(one(connection, f"request {number}") for number in range(5)))
            await connection.execute("SELECT 2")
            await connection.close()

        loop.run_until_complete(main())
        for number in range(5):
            (around,) = spans.named(f"request {number}")
            assert [span.name for span in spans.children_of(around)] == ["SELECT"]
        queries = spans.of_kind("CLIENT")
        assert len(queries) == 6
        assert queries[-1].parent_id is None

    def test_every_way_to_ask_is_one_span(self, spans, loop):
        async def main():
            async with aiosqlite.connect(":memory:") as connection:
                await connection.executescript("CREATE TABLE goods (id INTEGER)")
                await connection.executemany("INSERT INTO goods VALUES (?)", [(1,), (2,)])
                await connection.execute_insert("INSERT INTO goods VALUES (3)")
                assert len(await connection.execute_fetchall("SELECT id FROM goods")) == 3
                async with connection.execute("SELECT id FROM goods") as cursor:
                    assert isinstance(cursor, aiosqlite.Cursor)
                    assert [row[0] async for row in cursor] == [1, 2, 3]
                await connection.commit()

        loop.run_until_complete(main())
        assert [span.name for span in spans if "last_insert" not in span.attributes["db.query.text"]] == [
            "CREATE TABLE goods",
            "BATCH INSERT goods",
            "INSERT goods",
            "SELECT goods",
            "SELECT goods",
        ]

    def test_the_connection_underneath_is_a_real_one(self, connection):
        assert isinstance(connection.inner._conn, sqlite3.Connection)


async def _connected():
    return await aiosqlite.connect(":memory:", isolation_level=None)
