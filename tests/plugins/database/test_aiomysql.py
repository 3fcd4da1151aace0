"""aiomysql"""

from __future__ import annotations

import asyncio

import aiomysql
import aiomysql.cursors
import pytest

from plugins.database.blocking import Blocking
from plugins.database.mysql_contract import MysqlDriverContract


class TestAiomysql(MysqlDriverContract):
    exceptions = "pymysql"

    @pytest.fixture
    def loop(self):
        made = asyncio.new_event_loop()
        yield made
        made.close()

    @pytest.fixture
    def connect(self, mariadb, loop):
        made = []

        def connected(**options):
            made.append(loop.run_until_complete(aiomysql.connect(**mariadb.keywords("db"), autocommit=True, **options)))
            return Blocking(made[-1], loop)

        yield connected
        for connection in made:
            loop.run_until_complete(connection.ensure_closed())

    @pytest.mark.parametrize("kind", ["DictCursor", "SSCursor", "SSDictCursor"])
    def test_every_kind_of_cursor_is_traced_once(self, spans, connection, kind):
        wanted = getattr(aiomysql.cursors, kind)
        cursor = connection.cursor(wanted)
        assert isinstance(cursor.inner, wanted)
        cursor.execute("SELECT 1 AS one")
        assert cursor.fetchone() in ({"one": 1}, (1,))
        cursor.close()
        assert [span.name for span in spans] == ["SELECT"]

    def test_the_connections_of_a_pool_are_traced_alike(self, spans, mariadb, loop):
        async def main():
            pool = await aiomysql.create_pool(**mariadb.keywords("db"), minsize=1, maxsize=2)

            async def one():
                async with pool.acquire() as connection, connection.cursor() as cursor:
                    await cursor.execute("SELECT %s", (1,))
                    return await cursor.fetchone()

            assert await asyncio.gather(one(), one(), one()) == [(1,)] * 3
            pool.close()
            await pool.wait_closed()

        loop.run_until_complete(main())
        assert [span.name for span in spans.named("SELECT")] == ["SELECT"] * 3
        assert all(span.parent_id is None for span in spans)
        assert self.expected.items() <= spans.named("SELECT")[0].attributes.items()
