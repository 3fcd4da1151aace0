"""trino, against a stand-in that speaks its REST protocol: a statement is posted, its pages are fetched by nextUri."""

from __future__ import annotations

import itertools
import json

import pytest
import trino

from plugins.database.canned_http import canned_http
from plugins.database.contract import SqlDriverContract

_INTEGER = {"name": "_col0", "type": "integer", "typeSignature": {"rawType": "integer", "arguments": []}}
_NOT_FOUND = {
    "message": "line 1:20: Table 'memory.shop.no_such_table' does not exist",
    "errorCode": 46,
    "errorName": "TABLE_NOT_FOUND",
    "errorType": "USER_ERROR",
}


class Coordinator:
    """Answers the first request of a statement without rows, the second with all of them."""

    def __init__(self):
        self.statements = {}
        self.numbers = itertools.count(1)

    def __call__(self, method, path, body, url):
        if method == "POST":
            number = next(self.numbers)
            self.statements[f"/v1/statement/{number}"] = body.decode()
            found = {"nextUri": f"{url}/v1/statement/{number}", "stats": {"state": "QUEUED"}}
        else:
            found = {"stats": {"state": "FINISHED"}, **self._result(self.statements[path])}
        answer = {"id": "query", "infoUri": f"{url}/ui", **found}
        headers = {"Content-Type": "application/json"}
        if body == b"USE memory.other":
            headers |= {"X-Trino-Set-Catalog": "memory", "X-Trino-Set-Schema": "other"}
        return 200, headers, json.dumps(answer).encode()

    @staticmethod
    def _result(statement):
        if "no_such_table" in statement:
            return {"error": _NOT_FOUND, "stats": {"state": "FAILED"}}
        if "INSERT" in statement:
            return {"updateType": "INSERT", "updateCount": 1}
        return {"columns": [_INTEGER], "data": [[1]]}


class TestTrino(SqlDriverContract):
    system = "trino"
    exceptions = "trino"
    mark = "?"

    @pytest.fixture
    def port(self):
        with canned_http(Coordinator()) as port:
            yield port

    @pytest.fixture
    def connect(self, port, spans):
        made = []

        def connected(**options):
            made.append(
                trino.dbapi.connect(
                    host="127.0.0.1",
                    port=port,
                    user="shop",
                    legacy_prepared_statements=False,
                    **{"catalog": "memory", "schema": "shop", **options},
                )
            )
            return made[-1]

        self.expected = {"db.namespace": "memory|shop", "server.address": "127.0.0.1", "server.port": port}
        yield connected
        for one in made:
            one.close()

    @pytest.fixture
    def connection(self, connect):
        return connect()

    @pytest.fixture
    def another(self, connect):
        return connect()

    @pytest.fixture
    def table(self):
        return "goods"

    def test_a_query_is_one_client_span_named_by_its_summary(self, spans, connection):
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == [1]
        span = self.only(spans)
        assert (span.name, span.status, span.attributes["db.system.name"]) == ("SELECT", "UNSET", "trino")
        assert self.expected.items() <= span.attributes.items()

    def test_the_status_code_is_the_number_of_the_error(self, spans, connection):
        with pytest.raises(trino.exceptions.TrinoUserError, match="TABLE_NOT_FOUND"):
            connection.cursor().execute("SELECT 1 FROM no_such_table")
        assert self.only(spans).attributes["db.response.status_code"] == "46"

    def test_the_requests_of_a_query_are_told_by_its_span(self, spans, connection):
        connection.cursor().execute("SELECT 1")
        assert [span.attributes.get("http.request.method") for span in spans] == [None]

    def test_the_namespace_is_the_schema_that_is_used_now(self, spans, connection):
        connection.cursor().execute("USE memory.other")
        connection.cursor().execute("SELECT 1")
        assert [span.attributes["db.namespace"] for span in spans] == ["memory|shop", "memory|other"]

    def test_a_catalog_alone_is_the_namespace(self, spans, connect):
        connect(schema=None).cursor().execute("SELECT 1")
        assert self.only(spans).attributes["db.namespace"] == "memory"
