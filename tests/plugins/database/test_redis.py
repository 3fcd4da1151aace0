"""redis-py, and valkey-py, which is the same code under other names"""

from __future__ import annotations

import pytest
import redis
import redis.asyncio
import redis.asyncio.cluster
import redis.cluster
import valkey
import valkey.asyncio
import valkey.asyncio.cluster
import valkey.cluster

from plugins.database.redis_contract import RedisContract
from remora.conventions import redis_errors
from remora_plugins.database.redis_commands import operation, shown
from support.cache_servers import own_redis


class TestRedis(RedisContract):
    system = "redis"
    client = redis.Redis
    asyncio_client = redis.asyncio.Redis
    cluster = redis.cluster.RedisCluster
    asyncio_cluster = redis.asyncio.cluster.RedisCluster
    exceptions = redis.exceptions


class TestValkey(RedisContract):
    system = "valkey"
    client = valkey.Valkey
    asyncio_client = valkey.asyncio.Valkey
    cluster = valkey.cluster.ValkeyCluster
    asyncio_cluster = valkey.asyncio.cluster.ValkeyCluster
    exceptions = valkey.exceptions


def test_the_path_of_a_socket_is_server_and_peer(spans, tmp_path):
    path = str(tmp_path / "redis.sock")
    with own_redis("--unixsocket", path):
        client = redis.Redis(unix_socket_path=path)
        client.ping()
        client.close()
    (span,) = spans
    assert span.name == f"PING {path}"
    assert span.attributes["server.address"] == span.attributes["network.peer.address"] == path
    assert "server.port" not in span.attributes


def test_a_url_without_a_host_means_this_machine(spans, redis_port):
    client = redis.Redis.from_url(f"redis://?port={redis_port}&db=9")
    client.ping()
    client.close()
    (span,) = spans
    assert span.name == f"PING localhost:{redis_port}"
    assert span.attributes["db.namespace"] == "9"


def test_a_password_that_is_missing_or_wrong_has_its_code(spans):
    with own_redis("--requirepass", "hunter2") as port:
        for password in (None, "letmein"):
            client = redis.Redis(port=port, password=password)
            with pytest.raises(redis.exceptions.AuthenticationError):
                client.get("key")
            client.close()
    assert [span.attributes["db.response.status_code"] for span in spans] == ["NOAUTH", "WRONGPASS"]
    assert "hunter2" not in repr(list(spans))
    assert "letmein" not in repr(list(spans))


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("GET", 1, "GET ?"),
        ("get", 1, "get ?"),
        ("PING", 0, "PING"),
        ("CONFIG GET", 1, "CONFIG GET ?"),
        ("SET key hunter2", 0, "SET ? ?"),
        ("SET key", 1, "SET ? ?"),
        ("XGROUP CREATE", 3, "XGROUP CREATE ? ? ?"),
        ("JSON.SET", 3, "JSON.SET ? ? ?"),
        (b"GET", 1, "GET ?"),
        ("pass:word", 1, "? ?"),
        ("", 1, "? ?"),
        ("DEL", 1000, "DEL" + " ?" * 16 + " ..."),
    ],
)
def test_a_command_is_shown_without_its_arguments(name, arguments, expected):
    assert shown(name, arguments) == expected
    assert "hunter2" not in operation(name)


@pytest.mark.parametrize("cut", range(5, 75))
def test_a_message_that_was_cut_off_does_not_tell_the_command_either(cut):
    message = "Command # 1 (LPUSH hunter2hunter2hunter2) of pipeline caused error: ERR no"[:cut]
    assert "hunter" not in redis_errors.redacted(message)


def test_a_message_that_only_looks_alike_is_kept():
    assert redis_errors.redacted("ERR Command # is no command") == "ERR Command # is no command"
