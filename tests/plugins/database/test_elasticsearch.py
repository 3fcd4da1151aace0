"""elasticsearch, against a stand-in with canned answers (there is no Elasticsearch to test with)"""

from __future__ import annotations

import elasticsearch
import pytest

from plugins.database.search_engine_contract import SearchEngineContract
from remora.conventions.query_documents import shown
from remora.conventions.search_engine import endpoint, redacted


class TestElasticsearch(SearchEngineContract):
    system = "elasticsearch"

    def client(self, *urls):
        return elasticsearch.Elasticsearch(list(urls), retry_on_status=[503])

    def asyncio_client(self, *urls):
        return elasticsearch.AsyncElasticsearch(list(urls))

    def more(self, index):
        return {
            "db.operation.parameter.index": index,
            "db.namespace": "cluster-1",
            "elasticsearch.node.name": "instance-1",
        }

    def test_of_several_nodes_the_one_that_answered_is_named(self, spans, port):
        client = self.client(f"http://127.0.0.1:{port}", f"http://localhost:{port}")
        client.search(index="goods", q="name:hunter2")
        client.search(index="goods")
        client.close()
        assert {span.attributes["server.address"] for span in spans.of_kind("CLIENT")} == {"127.0.0.1", "localhost"}
        assert {span.attributes["server.port"] for span in spans.of_kind("CLIENT")} == {port}
        for span in spans.of_kind("CLIENT"):
            assert span.attributes["url.full"].startswith(f"http://{span.attributes['server.address']}:{port}/goods/")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/goods/_search", "search"),
        ("GET", "/goods/_doc/_1", "get"),
        ("DELETE", "/goods/_doc/1", "delete"),
        ("POST", "/_bulk", "bulk"),
        ("GET", "/_cluster/health/goods", "cluster.health"),
        ("GET", "/_cat/indices", "cat.indices"),
        ("GET", "/_snapshot/backups", "snapshot"),
        ("PUT", "/goods", "indices.create"),
        ("HEAD", "/", "ping"),
        ("GET", "/", "info"),
    ],
)
def test_method_and_path_tell_what_a_request_is_for(method, path, expected):
    assert endpoint(method, path) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("[400] unknown query [hunter2]", "[400] unknown query [REDACTED]"),
        ("cannot parse [a [b] c] at [1:2]", "cannot parse [REDACTED] at [REDACTED]"),
        ("cut off [hunter2", "cut off [REDACTED"),
        ("nothing", "nothing"),
    ],
)
def test_what_is_quoted_in_brackets_is_redacted(message, expected):
    assert redacted(message) == expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"query": {"terms": {"id": [4711, 4712]}}, "size": 10}, '{"query":{"terms":{"id":["?"]}},"size":"?"}'),
        ([{"index": "goods"}, {"query": {"match_all": {}}}], '[{"index":"?"},{"query":{"match_all":{}}}]'),
        ({}, "{}"),
        ("hunter2", None),
        (b"hunter2", None),
    ],
)
def test_a_query_is_shown_without_its_values(document, expected):
    assert shown(document) == expected


def test_a_query_without_end_is_shown_as_far_as_it_matters():
    endless = {}
    endless["query"] = [endless, endless]
    assert len(shown(endless)) < 20_000
