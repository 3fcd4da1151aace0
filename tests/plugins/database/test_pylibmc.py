"""pylibmc"""

from __future__ import annotations

import pytest

from plugins.database.memcached_contract import MemcachedContract
from support.servers import missing

try:
    import pylibmc
except ImportError:
    missing("pylibmc is not installed; it wants libmemcached-dev, libsasl2-dev and zlib1g-dev to compile")


class TestPylibmc(MemcachedContract):
    peer = False

    @pytest.fixture
    def client(self, memcached_port):
        return pylibmc.Client([f"127.0.0.1:{memcached_port}"])

    def unreachable(self, port):
        return pylibmc.Client([f"127.0.0.1:{port}"])

    def test_many_that_are_set_at_once_are_a_batch(self, spans, client, key):
        assert client.set_multi({key: "a", key + "b": "b"}) == []
        assert client.get_multi([key, key + "b"]) == {key: "a", key + "b": "b"}
        assert [span.attributes["db.operation.name"] for span in spans] == ["BATCH set", "get"]
        assert spans[0].attributes["db.operation.batch.size"] == 2

    def test_of_several_servers_none_is_named(self, spans, memcached_port, key):
        client = pylibmc.Client([f"127.0.0.1:{memcached_port}", f"localhost:{memcached_port}"])
        client.get(key)
        (span,) = spans
        assert span.name == "get"
        assert "server.address" not in span.attributes
