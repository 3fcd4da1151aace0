"""What the instrumentation of a client of Elasticsearch or OpenSearch must do; a client's test class makes clients."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from plugins.database.fake_search_engine import fake_search_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora.testing import CollectedSpan, Spans


class SearchEngineContract:
    """Subclasses give ``system``, and ``client(urls)`` and ``asyncio_client(urls)``."""

    system = ""
    tells_status = True

    def client(self, *urls: str) -> Any:
        raise NotImplementedError

    def asyncio_client(self, *urls: str) -> Any:
        raise NotImplementedError

    @pytest.fixture
    def port(self, spans: Spans) -> Iterator[int]:
        with fake_search_engine() as port:
            yield port

    @pytest.fixture
    def engine(self, port: int) -> Iterator[Any]:
        client = self.client(f"http://127.0.0.1:{port}")
        yield client
        client.close()

    @staticmethod
    def only(spans: Spans) -> CollectedSpan:
        (span,) = spans.of_kind("CLIENT")
        return span

    def status(self, code: int) -> dict[str, str]:
        return {"db.response.status_code": str(code)} if self.tells_status else {}

    def test_a_search_is_one_client_span_and_http_beneath_is_none(self, spans: Spans, engine: Any, port: int) -> None:
        found = engine.search(index="goods", body={"query": {"match": {"name": "hunter2"}}})
        assert found["hits"]["hits"][0]["_id"] == "1"
        span = self.only(spans)
        assert span.name == "search goods"
        assert span.status == "UNSET"
        expected = {
            "db.system.name": self.system,
            "db.operation.name": "search",
            "db.collection.name": "goods",
            "db.query.text": '{"query":{"match":{"name":"?"}}}',
            "http.request.method": "POST",
            "url.full": f"http://127.0.0.1:{port}/goods/_search",
            "server.address": "127.0.0.1",
            "server.port": port,
            **self.status(200),
            **self.more("goods"),
        }
        assert span.attributes == expected
        assert spans.of_kind("INTERNAL") == []  # what the library would tell by itself

    def more(self, index: str) -> dict[str, Any]:
        return {}

    def test_a_document_is_named_by_its_url_only(self, spans: Spans, engine: Any, port: int) -> None:
        engine.index(index="goods", id="1", body={"name": "hunter2"}, refresh=True)
        span = self.only(spans)
        assert span.name == "index goods"
        assert span.attributes["http.request.method"] == "PUT"
        assert "db.query.text" not in span.attributes
        assert span.attributes["url.full"] == f"http://127.0.0.1:{port}/goods/_doc/1?refresh=REDACTED"
        assert "hunter2" not in repr(span)

    def test_values_in_the_query_string_are_not_shown(self, spans: Spans, engine: Any) -> None:
        engine.search(index="goods", q="name:hunter2")
        assert "q=REDACTED" in self.only(spans).attributes["url.full"]
        assert "hunter2" not in repr(list(spans.of_kind("CLIENT")))

    def test_a_refused_search_has_the_status_and_none_of_its_data(self, spans: Spans, engine: Any) -> None:
        with pytest.raises(Exception, match="hunter2"):
            engine.search(index="goods", body={"query": {"nonsense": "hunter2"}})
        span = self.only(spans)
        assert span.status == "ERROR"
        assert span.attributes["db.response.status_code"] == span.attributes["error.type"] == "400"
        assert [event.name for event in span.events] == ["exception"]
        assert "hunter2" not in repr((span, span.status_description, span.events))

    def test_what_is_not_there_is_no_failure_if_the_program_only_asks(self, spans: Spans, engine: Any) -> None:
        assert not engine.indices.exists(index="missing")
        span = self.only(spans)
        assert span.name == "indices.exists missing"
        assert span.status == "UNSET"

    def test_attempts_lie_within_the_one_span(self, spans: Spans, engine: Any) -> None:
        engine.search(index="busy", body={})
        assert self.only(spans).status == "UNSET"

    def test_a_server_that_is_not_there_is_an_error(self, spans: Spans, unused_port: int) -> None:
        client = self.client(f"http://127.0.0.1:{unused_port}")
        with pytest.raises(Exception, match=r".") as raised:
            client.search(index="goods", body={})
        client.close()
        span = self.only(spans)
        assert span.status == "ERROR"
        assert span.attributes["error.type"].endswith(type(raised.value).__name__)
        assert "db.response.status_code" not in span.attributes

    def test_a_call_is_a_child_of_what_is_current(self, spans: Spans, engine: Any) -> None:
        with trace.get_tracer("test").start_as_current_span("around"):
            engine.cluster.health()
        (around,) = spans.named("around")
        (health,) = spans.children_of(around).of_kind("CLIENT")
        assert health.attributes["db.operation.name"] == "cluster.health"
        assert "db.collection.name" not in health.attributes

    def test_a_calls_duration_is_measured_and_that_of_its_request_is_not(self, spans: Spans, engine: Any) -> None:
        engine.search(index="goods", body={})
        span = self.only(spans)
        (point,) = spans.metrics.named("db.client.operation.duration")
        assert "db.query.text" not in point.attributes
        assert point.attributes.items() <= span.attributes.items()
        assert point.sum == pytest.approx((span.end_ns - span.start_ns) / 1e9)
        assert spans.metrics.named("http.client.request.duration") == []

    def test_the_asyncio_client_is_traced_alike(self, spans: Spans, port: int) -> None:
        async def main() -> None:
            client = self.asyncio_client(f"http://127.0.0.1:{port}")
            with trace.get_tracer("test").start_as_current_span("around"):
                await asyncio.gather(*(client.search(index="goods", body={}) for _ in range(2)))
            with pytest.raises(Exception, match="hunter2"):
                await client.search(index="goods", body={"query": {"nonsense": "hunter2"}})
            await client.close()

        asyncio.run(main())
        (around,) = spans.named("around")
        assert [span.name for span in spans.children_of(around).of_kind("CLIENT")] == ["search goods"] * 2
        assert len(spans.of_kind("CLIENT")) == 3
        assert {span.attributes["server.port"] for span in spans.of_kind("CLIENT")} == {port}
        assert [span.attributes["error.type"] for span in spans if span.status == "ERROR"][:1] == ["400"]
        assert "hunter2" not in repr(list(spans.of_kind("CLIENT")))
