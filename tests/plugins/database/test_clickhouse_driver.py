"""clickhouse-driver, against a stand-in that speaks the native protocol."""

from __future__ import annotations

import clickhouse_driver
import clickhouse_driver.dbapi
import clickhouse_driver.errors
import pytest

from plugins.database.canned_clickhouse import canned_clickhouse
from plugins.database.contract import SqlDriverContract

# Closing a connection closes every other of its cursors: the library removes them from the list it goes through.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")


class TestClickhouseDriver(SqlDriverContract):
    system = "clickhouse"
    exceptions = "clickhouse_driver"

    @pytest.fixture
    def port(self):
        with canned_clickhouse() as port:
            self.expected = {"db.namespace": "shop", "server.address": "127.0.0.1", "server.port": port}
            yield port

    @pytest.fixture
    def connection(self, port):
        with clickhouse_driver.dbapi.connect(host="127.0.0.1", port=port, database="shop") as made:
            yield made

    @pytest.fixture
    def another(self, port):
        with clickhouse_driver.dbapi.connect(f"clickhouse://127.0.0.1:{port}/shop") as made:
            yield made

    @pytest.fixture
    def client(self, port):
        with clickhouse_driver.Client("127.0.0.1", port=port, database="shop", password="hunter3") as made:
            yield made

    @pytest.fixture
    def table(self):
        return "goods"

    # The driver substitutes by names, and sends rows apart from the query.

    def test_operation_and_table_make_the_name(self, spans, connection, table):
        connection.cursor().execute(f"SELECT name FROM {table} WHERE id = %(id)s", {"id": 1})
        span = self.only(spans)
        assert span.name == f"SELECT {table}"
        assert span.attributes["db.query.text"] == f"SELECT name FROM {table} WHERE id = %(id)s"

    def test_bind_values_are_not_recorded(self, spans, connection, table):
        connection.cursor().execute(f"SELECT id FROM {table} WHERE name = %(name)s", {"name": "hunter2"})
        assert "hunter2" not in repr(spans[0].attributes)

    def test_executemany_is_a_batch(self, spans, connection, table):
        rows = [(10, "hunter2"), (11, "b"), (12, "c")]
        connection.cursor().executemany(f"INSERT INTO {table} (id, name) VALUES", rows)
        span = self.only(spans)
        assert span.attributes["db.operation.batch.size"] == 3
        assert span.name == f"BATCH INSERT {table}"
        assert "hunter2" not in repr(span.attributes)

    def test_a_querys_duration_is_measured_with_what_its_span_says(self, spans, connection, table):
        connection.cursor().execute(f"SELECT name FROM {table} WHERE id = %(id)s", {"id": 1})
        span = self.only(spans)
        (point,) = spans.metrics.named("db.client.operation.duration")
        assert point.attributes == {key: value for key, value in span.attributes.items() if key != "db.query.text"}
        assert point.sum == pytest.approx((span.end_ns - span.start_ns) / 1e9)

    def test_the_status_code_is_the_servers_number(self, spans, client, connection):
        with pytest.raises(clickhouse_driver.errors.ServerException) as raised:
            client.execute("SELECT 1 FROM no_such_table")
        assert raised.value.code == 60
        with pytest.raises(clickhouse_driver.dbapi.errors.OperationalError):
            connection.cursor().execute("SELECT 1 FROM no_such_table")
        assert [span.attributes["db.response.status_code"] for span in spans] == ["60", "60"]

    def test_the_client_itself_is_traced_alike(self, spans, client, table):
        assert client.execute("SELECT 1") == [(1,)]
        assert list(client.execute_iter("SELECT 1")) == [(1,)]
        client.execute(f"INSERT INTO {table} VALUES", [(1, "hunter2"), (2, "b")])
        client.execute(f"INSERT INTO {table} VALUES", ((number, "hunter2") for number in range(2)))
        assert [span.name for span in spans] == [
            "SELECT",
            "SELECT",
            f"BATCH INSERT {table}",
            f"INSERT {table}",  # how many there are is not known before
        ]
        assert all(self.expected.items() <= span.attributes.items() for span in spans)
        assert "hunter" not in repr([span.attributes for span in spans])
