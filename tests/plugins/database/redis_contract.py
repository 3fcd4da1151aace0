"""What the instrumentation of a client that speaks Redis must do; a client's test class names its modules."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from remora.testing import CollectedSpan, Spans

DATABASE = 9


class RedisContract:
    """Subclasses give ``system``, the classes of the blocking client and the asyncio one, and of their clusters."""

    system = ""
    client: Any
    asyncio_client: Any
    cluster: Any
    asyncio_cluster: Any
    exceptions: ModuleType

    @pytest.fixture
    def key(self) -> str:
        return f"remora-test:{uuid.uuid4().hex}"

    @pytest.fixture
    def connection(self, redis_port: int, spans: Spans, key: str) -> Iterator[Any]:
        connection = type(self).client(host="localhost", port=redis_port, db=DATABASE)
        yield connection
        connection.delete(key)
        connection.close()

    @staticmethod
    def only(spans: Spans) -> CollectedSpan:
        (span,) = spans
        assert span.kind == "CLIENT"
        return span

    def asynchronously(self, port: int, program: Any) -> Any:
        async def main() -> Any:
            client = type(self).asyncio_client(host="localhost", port=port, db=DATABASE)
            try:
                return await program(client)
            finally:
                await client.aclose()

        return asyncio.run(main())

    def test_a_command_is_one_client_span_that_says_where_it_went(
        self, spans: Spans, connection: Any, key: str, redis_port: int
    ) -> None:
        assert connection.set(key, "hunter2", ex=60) is True
        span = self.only(spans)
        assert span.name == f"SET localhost:{redis_port}"
        assert span.status == "UNSET"
        expected = {
            "db.system.name": self.system,
            "db.namespace": str(DATABASE),
            "db.operation.name": "SET",
            "db.query.text": "SET ? ? ? ?",
            "server.address": "localhost",
            "network.peer.port": redis_port,
        }
        if redis_port != 6379:
            expected["server.port"] = redis_port
        assert span.attributes.pop("network.peer.address") in {"127.0.0.1", "::1"}
        assert span.attributes == expected

    def test_neither_keys_nor_values_are_shown(self, spans: Spans, connection: Any, key: str) -> None:
        connection.set(key, "hunter2")
        connection.execute_command(f"SET {key} hunter2")
        connection.mget([f"{key}{number}" for number in range(100)])
        assert [span.attributes["db.operation.name"] for span in spans] == ["SET", "SET", "MGET"]
        assert [span.attributes["db.query.text"] for span in spans][:2] == ["SET ? ?"] * 2
        assert key not in repr(list(spans))
        assert "hunter2" not in repr(list(spans))
        assert len(spans[2].attributes["db.query.text"]) < 60

    def test_a_command_of_two_words_is_named_by_both(self, spans: Spans, connection: Any) -> None:
        connection.config_get("save")
        span = self.only(spans)
        assert span.attributes["db.operation.name"] == "CONFIG GET"
        assert span.attributes["db.query.text"] == "CONFIG GET ?"

    def test_a_failed_command_has_the_servers_code(self, spans: Spans, connection: Any, key: str) -> None:
        connection.set(key, "text")
        spans.clear()
        with pytest.raises(self.exceptions.ResponseError, match="wrong kind of value"):
            connection.lpush(key, "hunter2")
        with pytest.raises(self.exceptions.ResponseError):
            connection.execute_command("NOSUCH", "hunter2")
        with pytest.raises(self.exceptions.NoScriptError):
            connection.evalsha("0" * 40, 0)
        assert [span.attributes["db.response.status_code"] for span in spans] == ["WRONGTYPE", "ERR", "NOSCRIPT"]
        assert [span.attributes["error.type"] for span in spans] == ["WRONGTYPE", "ERR", "NOSCRIPT"]
        assert [span.status for span in spans] == ["ERROR"] * 3
        assert "hunter2" not in repr([(span.status_description, span.events) for span in spans])

    def test_a_pipeline_is_one_span_with_its_size(self, spans: Spans, connection: Any, key: str) -> None:
        assert connection.pipeline(transaction=False).set(key, 1).incr(key).execute() == [True, 2]
        span = self.only(spans)
        assert span.attributes["db.operation.name"] == "PIPELINE"
        assert span.attributes["db.operation.batch.size"] == 2
        assert span.attributes["db.query.text"] == "SET ? ?\nINCRBY ? ?"
        assert span.name.startswith("PIPELINE localhost:")

    def test_a_transaction_of_one_kind_of_command_is_named_by_it(self, spans: Spans, connection: Any, key: str) -> None:
        connection.pipeline().incr(key).incr(key).incr(key).execute()
        span = self.only(spans)
        assert span.attributes["db.operation.name"] == "MULTI INCRBY"
        assert span.attributes["db.operation.batch.size"] == 3

    def test_a_pipeline_that_fails_does_not_tell_the_command(self, spans: Spans, connection: Any, key: str) -> None:
        connection.set(key, "text")
        spans.clear()
        with pytest.raises(self.exceptions.ResponseError, match="hunter2"):
            connection.pipeline().lpush(key, "hunter2) of pipeline caused error: hunter2").execute()
        span = self.only(spans)
        assert span.attributes["db.response.status_code"] == "WRONGTYPE"
        assert "wrong kind of value" in (span.status_description or "")
        shown = repr(span) + repr(span.status_description) + repr(span.events)
        assert "hunter2" not in shown
        assert key not in shown

    def test_an_empty_pipeline_sends_nothing_and_is_no_span(self, spans: Spans, connection: Any) -> None:
        assert connection.pipeline().execute() == []
        assert list(spans) == []

    def test_a_watched_key_that_changes_fails_the_transaction(self, spans: Spans, connection: Any, key: str) -> None:
        with connection.pipeline() as pipeline:
            pipeline.watch(key)
            connection.set(key, 1)
            pipeline.multi()
            pipeline.incr(key)
            with pytest.raises(self.exceptions.WatchError):
                pipeline.execute()
        assert [span.attributes["db.operation.name"] for span in spans] == ["WATCH", "SET", "MULTI INCRBY"]
        assert spans[2].attributes["error.type"] == f"{self.system}.exceptions.WatchError"
        assert "db.response.status_code" not in spans[2].attributes

    def test_a_script_is_told_by_its_digest(self, spans: Spans, connection: Any) -> None:
        script = connection.register_script(f"return '{uuid.uuid4().hex}'")
        script()
        script()
        last = spans[-1]
        assert last.name == f"EVALSHA {script.sha}"
        assert last.attributes["db.stored_procedure.name"] == script.sha
        assert last.status == "UNSET"

    def test_a_command_is_a_child_of_what_is_current(self, spans: Spans, connection: Any, key: str) -> None:
        with trace.get_tracer("test").start_as_current_span("around"):
            connection.get(key)
            connection.pipeline().get(key).execute()
        (around,) = spans.named("around")
        assert [span.attributes["db.operation.name"] for span in spans.children_of(around)] == ["GET", "MULTI GET"]

    def test_retries_lie_within_the_one_span(self, spans: Spans, connection: Any, key: str, redis_port: int) -> None:
        connection.set(key, 1)
        own = connection.client_id()
        other = type(self).client(host="localhost", port=redis_port)
        other.client_kill_filter(_id=own)
        other.close()
        spans.clear()
        assert connection.get(key) == b"1"
        assert self.only(spans).status == "UNSET"

    def test_a_server_that_is_not_there_is_an_error(self, spans: Spans, unused_port: int) -> None:
        with pytest.raises(self.exceptions.ConnectionError):
            type(self).client(port=unused_port).ping()
        span = self.only(spans)
        assert span.attributes["error.type"] == f"{self.system}.exceptions.ConnectionError"
        assert span.attributes["server.port"] == unused_port
        assert "network.peer.address" not in span.attributes

    def test_subscriptions_are_no_commands(self, spans: Spans, connection: Any, key: str) -> None:
        with connection.pubsub() as subscriber:
            subscriber.subscribe(key)
            assert subscriber.get_message(timeout=5)["type"] == "subscribe"
            connection.publish(key, "hunter2")
            assert subscriber.get_message(timeout=5)["data"] == b"hunter2"
        assert [span.attributes["db.operation.name"] for span in spans] == ["PUBLISH"]

    def test_a_commands_duration_is_measured(self, spans: Spans, connection: Any, key: str) -> None:
        connection.get(key)
        span = self.only(spans)
        (point,) = spans.metrics.named("db.client.operation.duration")
        assert point.attributes == {name: value for name, value in span.attributes.items() if name != "db.query.text"}
        assert point.sum == pytest.approx((span.end_ns - span.start_ns) / 1e9)

    def test_the_asyncio_client_is_traced_alike(self, spans: Spans, redis_port: int, key: str) -> None:
        async def program(client: Any) -> None:
            with trace.get_tracer("test").start_as_current_span("around"):
                await asyncio.gather(client.set(key, "hunter2"), client.get(key))
                async with client.pipeline() as pipeline:
                    await pipeline.incr(key + "n").expire(key + "n", 1).execute()
            with pytest.raises(self.exceptions.ResponseError):
                await client.lpush(key, "hunter2")
            await client.delete(key)

        self.asynchronously(redis_port, program)
        (around,) = spans.named("around")
        below = spans.children_of(around)
        assert sorted(span.attributes["db.operation.name"] for span in below) == ["GET", "MULTI", "SET"]
        assert {span.attributes["network.peer.port"] for span in below} == {redis_port}
        (failed,) = [span for span in spans if span.status == "ERROR"]
        assert failed.attributes["db.response.status_code"] == "WRONGTYPE"
        assert "hunter2" not in repr(list(spans))

    def test_a_cancelled_command_is_no_failure(self, spans: Spans, redis_port: int, key: str) -> None:
        async def program(client: Any) -> None:
            waiting = asyncio.ensure_future(client.blpop(key, timeout=30))
            await asyncio.sleep(0.2)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

        self.asynchronously(redis_port, program)
        span = self.only(spans)
        assert span.attributes["db.operation.name"] == "BLPOP"
        assert span.status == "UNSET"

    def test_a_clusters_command_is_one_span_and_so_is_its_pipeline(
        self, spans: Spans, cluster_port: int, key: str
    ) -> None:
        cluster = type(self).cluster(host="127.0.0.1", port=cluster_port)
        spans.clear()
        cluster.set(key, "hunter2")
        assert cluster.pipeline().get(key).strlen(key).execute() == [b"hunter2", 7]
        cluster.close()
        assert [span.name for span in spans] == [
            f"SET 127.0.0.1:{cluster_port}",
            f"PIPELINE 127.0.0.1:{cluster_port}",
        ]
        assert spans[1].attributes["db.operation.batch.size"] == 2
        assert spans[0].attributes["db.namespace"] == "0"
        assert "hunter2" not in repr(list(spans))

    def test_an_asyncio_clusters_command_is_one_span(self, spans: Spans, cluster_port: int, key: str) -> None:
        async def main() -> None:
            cluster = type(self).asyncio_cluster(host="127.0.0.1", port=cluster_port)
            await cluster.set(key, "hunter2")
            await cluster.pipeline().get(key).strlen(key).execute()
            await cluster.aclose()

        asyncio.run(main())
        assert [span.name for span in spans] == [
            f"SET 127.0.0.1:{cluster_port}",
            f"PIPELINE 127.0.0.1:{cluster_port}",
        ]
