"""opensearch-py, against a stand-in with canned answers (there is no OpenSearch to test with)"""

from __future__ import annotations

import opensearchpy
import pytest

from plugins.database.search_engine_contract import SearchEngineContract


class TestOpenSearch(SearchEngineContract):
    system = "opensearch"
    tells_status = False  # of answers that are fine

    def client(self, *urls):
        return opensearchpy.OpenSearch(list(urls))

    def asyncio_client(self, *urls):
        return opensearchpy.AsyncOpenSearch(list(urls))

    def test_requests_instead_of_urllib3_beneath_makes_no_difference(self, spans, port):
        client = opensearchpy.OpenSearch(
            [f"http://127.0.0.1:{port}"], connection_class=opensearchpy.RequestsHttpConnection
        )
        client.search(index="goods", body={})
        client.close()
        assert [span.name for span in spans.of_kind("CLIENT")] == ["search goods"]

    def test_of_several_nodes_none_is_named(self, spans, port):
        client = self.client(f"http://127.0.0.1:{port}", f"http://localhost:{port}")
        client.search(index="goods", body={})
        client.close()
        (span,) = spans.of_kind("CLIENT")
        assert "server.address" not in span.attributes

    def test_a_call_without_arguments_fails_as_it_does_without_us(self, engine):
        with pytest.raises(TypeError):
            engine.transport.perform_request()
