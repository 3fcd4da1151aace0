"""pymemcache"""

from __future__ import annotations

import pymemcache
import pytest
from pymemcache.client.base import PooledClient
from pymemcache.client.hash import HashClient
from pymemcache.client.retrying import RetryingClient

from plugins.database.memcached_contract import MemcachedContract


class TestPymemcache(MemcachedContract):
    @pytest.fixture
    def client(self, memcached_port, spans):
        made = pymemcache.Client(("127.0.0.1", memcached_port))
        yield made
        made.close()

    def unreachable(self, port):
        return pymemcache.Client(("127.0.0.1", port))

    def test_many_that_are_set_at_once_are_a_batch(self, spans, client, key):
        client.set_many({key: "a", key + "b": "b", key + "c": "c"})
        assert client.get_many([key, key + "b"]) == {key: b"a", key + "b": b"b"}
        client.delete_many([key, key + "b"])
        assert [span.attributes["db.operation.name"] for span in spans] == ["BATCH set", "get", "BATCH delete"]
        assert [span.attributes.get("db.operation.batch.size") for span in spans] == [3, None, 2]

    @pytest.mark.parametrize("kind", ["pooled", "hash", "pooled hash", "retrying"])
    def test_pools_rings_and_retries_are_one_span_too(self, spans, memcached_port, key, kind):
        server = ("127.0.0.1", memcached_port)
        made = {
            "pooled": lambda: PooledClient(server),
            "hash": lambda: HashClient([server]),
            "pooled hash": lambda: HashClient([server], use_pooling=True),
            "retrying": lambda: RetryingClient(pymemcache.Client(server)),
        }[kind]()
        made.set(key, "hunter2")
        made.close()
        assert [span.name for span in spans] == [f"set 127.0.0.1:{memcached_port}"]

    def test_a_failure_that_the_client_keeps_to_itself_is_told_all_the_same(self, spans, unused_port, key):
        client = pymemcache.Client(("127.0.0.1", unused_port), ignore_exc=True)
        assert client.get(key) is None
        (span,) = spans
        assert (span.status, span.attributes["error.type"]) == ("ERROR", "_OTHER")

    def test_a_raw_command_is_named_by_its_first_word(self, spans, client, key):
        client.raw_command(f"get {key}", end_tokens="END\r\n")
        (span,) = spans
        assert span.attributes["db.operation.name"] == "get"
        assert key not in repr(span)
