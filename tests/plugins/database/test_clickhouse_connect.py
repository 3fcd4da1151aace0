"""clickhouse-connect, against a stand-in that speaks ClickHouse's HTTP interface: blocks of the Native format."""

from __future__ import annotations

import asyncio

import clickhouse_connect
import pytest
from clickhouse_connect.dbapi import connect as dbapi_connect

from plugins.database.canned_http import canned_http
from plugins.database.contract import SqlDriverContract


def text(value):
    return bytes([len(value)]) + value.encode()


def block(columns, *, rows, data=b""):
    """Of one column if there are rows."""
    head = bytes([len(columns), rows])
    return head + b"".join(text(name) + text(kind) + data for name, kind in columns)


_SETTINGS = block([("name", "String"), ("value", "String"), ("readonly", "UInt8")], rows=0)
_ONE = block([("1", "UInt8")], rows=1, data=b"\x01")
_FAILED = b"Code: 60. DB::Exception: Unknown table expression identifier 'no_such_table'. (UNKNOWN_TABLE)\n"


def answer(method, path, body, url):
    query = path.encode() + body
    if b"no_such_table" in query:
        return 404, {"X-ClickHouse-Exception-Code": "60"}, _FAILED
    if b"version()" in query:
        return 200, {}, b"24.8.1.1\tUTC\n"
    if b"system.settings" in query:
        return 200, {}, _SETTINGS
    return 200, {"X-ClickHouse-Format": "Native"}, b"" if b"INSERT" in query else _ONE


class TestClickhouseConnect(SqlDriverContract):
    system = "clickhouse"
    exceptions = "clickhouse_connect"
    marks = "%s, %s"

    @pytest.fixture
    def port(self):
        with canned_http(answer) as port:
            self.expected = {"db.namespace": "shop", "server.address": "127.0.0.1", "server.port": port}
            yield port

    @pytest.fixture
    def connection(self, port, spans):
        made = dbapi_connect(host="127.0.0.1", port=port, database="shop", compress=False)
        spans.clear()
        yield made
        made.close()

    @pytest.fixture
    def another(self, port, spans):
        made = dbapi_connect(host="127.0.0.1", port=port, database="shop", compress=False)
        spans.clear()
        yield made
        made.close()

    @pytest.fixture
    def client(self, port, spans):
        with clickhouse_connect.get_client(host="127.0.0.1", port=port, database="shop", compress=False) as made:
            spans.clear()
            yield made

    @pytest.fixture
    def table(self):
        return "goods"

    def test_the_status_code_is_the_servers_number(self, spans, client):
        with pytest.raises(clickhouse_connect.driver.exceptions.DatabaseError, match="no_such_table"):
            client.query("SELECT 1 FROM no_such_table")
        assert self.only(spans).attributes["db.response.status_code"] == "60"

    def test_every_way_to_ask_is_one_span(self, spans, client):
        client.query("SELECT 1")
        client.command("SELECT 1")
        client.raw_query("SELECT 1", fmt="Native")
        with client.query_rows_stream("SELECT 1") as rows:
            assert list(rows) == [(1,)]
        client.query("SELECT 1 WHERE {name:String} <> ''", parameters={"name": "hunter2"})
        assert [span.name for span in spans] == ["SELECT"] * 5
        assert spans[4].attributes["db.query.text"] == "SELECT 1 WHERE {name:String} <> ''"
        assert "hunter2" not in repr([span.attributes for span in spans])
        assert all(self.expected.items() <= span.attributes.items() for span in spans)

    def test_an_insert_names_its_table(self, spans, client):
        client.insert("goods", [[1, "hunter2"]], column_names=["id", "name"], column_type_names=["Int32", "String"])
        span = self.only(spans)
        assert span.name.startswith("INSERT")
        assert "goods" in span.name
        assert "goods" in span.attributes["db.collection.name"]
        assert span.attributes["db.operation.name"] == "INSERT"
        assert "hunter2" not in repr(span.attributes)

    def test_the_requests_of_a_query_are_told_by_its_span(self, spans, client):
        client.query("SELECT 1")
        assert len(spans) == 1

    def test_the_asyncio_client_is_traced_alike(self, spans, port):
        async def main():
            client = await clickhouse_connect.get_async_client(
                host="127.0.0.1", port=port, database="shop", compress=False
            )
            spans.clear()
            assert (await client.query("SELECT 1")).result_rows == [(1,)]
            await client.command("SELECT 1")
            with pytest.raises(clickhouse_connect.driver.exceptions.DatabaseError):
                await client.query("SELECT 1 FROM no_such_table")
            await client.close()

        asyncio.run(main())
        assert [span.name for span in spans] == ["SELECT", "SELECT", "SELECT no_such_table"]
        assert all(self.expected.items() <= span.attributes.items() for span in spans)
