"""What the instrumentation of a memcached client must do; a client's test class says how to call it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

if TYPE_CHECKING:
    from remora.testing import Spans


class MemcachedContract:
    """Subclasses give ``client`` as a fixture and ``call(client, method, *arguments)``, which may be asynchronous."""

    host = "127.0.0.1"
    peer = True
    failing_module = ""

    @pytest.fixture
    def key(self) -> str:
        return f"remora-test-{uuid.uuid4().hex}"

    def call(self, client: Any, method: str, *arguments: Any) -> Any:
        return getattr(client, method)(*arguments)

    def unreachable(self, port: int) -> Any:
        """A client of a server that is not there."""
        raise NotImplementedError

    def test_a_command_is_one_client_span_that_says_where_it_went(
        self, spans: Spans, client: Any, key: str, memcached_port: int
    ) -> None:
        self.call(client, "set", key, "hunter2")
        assert self.call(client, "get", key) in {b"hunter2", "hunter2"}
        assert [span.name for span in spans] == [
            f"set {self.host}:{memcached_port}",
            f"get {self.host}:{memcached_port}",
        ]
        for span, operation in zip(spans, ("set", "get"), strict=True):
            expected = {
                "db.system.name": "memcached",
                "db.operation.name": operation,
                "server.address": self.host,
            }
            if self.peer:
                expected.update({"network.peer.address": "127.0.0.1", "network.peer.port": memcached_port})
            if memcached_port != 11211:
                expected["server.port"] = memcached_port
            assert span.attributes == expected
            assert (span.kind, span.status) == ("CLIENT", "UNSET")

    def test_neither_keys_nor_values_are_shown(self, spans: Spans, client: Any, key: str) -> None:
        self.call(client, "set", key, "hunter2")
        self.call(client, "delete", key)
        assert [span.attributes["db.operation.name"] for span in spans] == ["set", "delete"]
        assert "hunter2" not in repr(list(spans))
        assert key not in repr(list(spans))

    def test_a_command_is_a_child_of_what_is_current(self, spans: Spans, client: Any, key: str) -> None:
        with trace.get_tracer("test").start_as_current_span("around"):
            self.call(client, "get", key)
        (around,) = spans.named("around")
        assert [span.attributes["db.operation.name"] for span in spans.children_of(around)] == ["get"]

    def test_a_server_that_is_not_there_is_an_error(self, spans: Spans, key: str, unused_port: int) -> None:
        client = self.unreachable(unused_port)
        with pytest.raises(Exception, match=r".") as raised:
            self.call(client, "get", key)
        (span,) = spans
        assert span.status == "ERROR"
        assert span.attributes["error.type"].endswith(type(raised.value).__name__)
        assert span.attributes["server.port"] == unused_port
        assert "network.peer.address" not in span.attributes

    def test_a_key_that_is_refused_is_not_told(self, spans: Spans, client: Any) -> None:
        with pytest.raises(Exception, match=r"."):
            self.call(client, "set", "hunter2 " * 100, "hunter2")
        (span,) = spans
        assert span.status == "ERROR"
        assert "hunter2" not in repr((span, span.status_description, span.events))

    def test_a_commands_duration_is_measured(self, spans: Spans, client: Any, key: str) -> None:
        self.call(client, "get", key)
        (span,) = spans
        (point,) = spans.metrics.named("db.client.operation.duration")
        assert point.attributes == span.attributes
        assert point.sum == pytest.approx((span.end_ns - span.start_ns) / 1e9)
