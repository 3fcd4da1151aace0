"""duckdb"""

from __future__ import annotations

import duckdb
import pytest

from plugins.database.contract import SqlDriverContract
from support.processes import run_python


class TestDuckdb(SqlDriverContract):
    system = "duckdb"
    exceptions = "_duckdb"
    mark = "?"
    expected = {"db.namespace": ":memory:"}  # noqa: RUF012 - never changed

    @pytest.fixture
    def connection(self):
        with duckdb.connect() as made:
            yield made

    @pytest.fixture
    def another(self):
        with duckdb.connect(":memory:") as made:
            yield made

    @pytest.fixture
    def table(self, connection, spans):
        connection.execute("CREATE TABLE goods (id INTEGER, name VARCHAR)")
        spans.clear()
        return "goods"

    def test_a_failed_query_is_an_error_and_the_drivers_exception_is_kept(self, spans, connection):
        """As the contract has it, but DuckDB has no codes."""
        with pytest.raises(duckdb.CatalogException):
            connection.execute("SELECT secret FROM no_such_table WHERE x = 'hunter2'")
        span = self.only(spans)
        assert span.status == "ERROR"
        assert span.attributes["error.type"].endswith("duckdb.CatalogException")
        assert "hunter2" not in repr(span.attributes) + repr(span.status_description)
        assert [event.name for event in span.events] == ["exception"]

    def test_a_value_that_a_message_quotes_does_not_leave(self, spans, connection):
        with pytest.raises(duckdb.ConversionException, match="hunter2"):
            connection.execute("SELECT CAST(? AS INTEGER)", ["hunter2"]).fetchall()
        assert "hunter2" not in repr([(span.attributes, span.status_description, span.events) for span in spans])

    def test_a_file_is_the_namespace_of_its_connection_and_of_the_cursors(self, spans, tmp_path):
        with duckdb.connect(tmp_path / "shop.db") as connection:
            connection.execute("SELECT 1")
            connection.cursor().cursor().execute("SELECT 1")
        assert {span.attributes["db.namespace"] for span in spans} == {str(tmp_path / "shop.db")}
        assert len(spans) == 2

    def test_connections_are_the_librarys_own(self, connection):
        assert type(connection) is duckdb.DuckDBPyConnection
        assert type(connection.cursor()) is duckdb.DuckDBPyConnection
        assert connection.execute("SELECT 1") is connection

    def test_a_relation_is_one_span_each_time_it_runs(self, spans, connection, table):
        relation = connection.sql(f"SELECT name FROM {table} WHERE name <> 'hunter2'")
        assert [span.name for span in spans] == []
        assert relation.fetchall() == []
        assert relation.limit(1).fetchall() == []
        assert len(spans) == 2
        assert all(table in span.name for span in spans)
        assert "hunter2" not in repr([span.attributes for span in spans])

    def test_a_statement_that_runs_at_once_is_one_span(self, spans, connection, table):
        connection.sql(f"INSERT INTO {table} VALUES (1, 'hunter2');")
        connection.query(f"INSERT INTO {table} VALUES (?, ?)", params=[2, "hunter2"])
        assert [span.name for span in spans] == [f"INSERT {table}"] * 2
        assert "hunter2" not in repr([span.attributes for span in spans])

    def test_the_modules_own_functions_are_traced_alike(self, spans, connection, table):
        assert duckdb.execute("SELECT 42").fetchall() == [(42,)]
        assert duckdb.sql("SELECT 42").fetchall() == [(42,)]
        duckdb.executemany(f"INSERT INTO {table} VALUES (?, ?)", [(1, "a"), (2, "b")], connection=connection)
        assert [span.name for span in spans] == ["SELECT", "SELECT", f"BATCH INSERT {table}"]

    def test_a_closed_connection_never_takes_the_plugin_out(self, spans, connection):
        closed = duckdb.connect()
        closed.close()
        for _ in range(15):
            with pytest.raises(duckdb.ConnectionException):
                closed.execute("SELECT 1")
        spans.clear()
        connection.execute("SELECT 1")
        assert [span.name for span in spans] == ["SELECT"]


def test_nothing_of_the_library_outlives_the_interpreter(tmp_path):
    """Its binding would say so on stderr."""
    program = "import duckdb; print(duckdb.connect().execute('SELECT 1').fetchone())"
    result = run_python(program, cwd=tmp_path)
    assert (result.stdout, result.exit_code) == ("(1,)\n", 0)
    assert "leaked" not in result.stderr
