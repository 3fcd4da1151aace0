"""aiomcache"""

from __future__ import annotations

import asyncio

import aiomcache
import pytest

from plugins.database.memcached_contract import MemcachedContract


class TestAiomcache(MemcachedContract):
    peer = False

    @pytest.fixture
    def client(self, memcached_port):
        return ("127.0.0.1", memcached_port)  # it belongs to one event loop

    def unreachable(self, port):
        return ("127.0.0.1", port)

    def call(self, client, method, *arguments):
        async def main():
            made = aiomcache.Client(*client)
            try:
                return await getattr(made, method)(*(argument.encode() for argument in arguments))
            finally:
                await made.close()

        return asyncio.run(main())

    def test_commands_side_by_side_are_children_of_the_same(self, spans, client, key):
        async def main():
            made = aiomcache.Client(*client)
            await asyncio.gather(*(made.multi_get(key.encode(), b"other") for _ in range(3)))
            await made.close()

        asyncio.run(main())
        assert [span.attributes["db.operation.name"] for span in spans] == ["get"] * 3
        assert all(span.parent_id is None for span in spans)
