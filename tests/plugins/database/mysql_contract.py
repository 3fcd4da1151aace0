"""What the drivers of MySQL share beyond the contract of all."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.database.contract import SqlDriverContract


class MysqlDriverContract(SqlDriverContract):
    """Subclasses give ``connect(**options)`` as a fixture that closes what it made; no options means autocommit."""

    system = "mariadb"

    @pytest.fixture
    def connection(self, connect, spans):
        made = connect()
        spans.clear()
        return made

    @pytest.fixture
    def another(self, connect, spans):
        made = connect()
        spans.clear()
        return made

    @pytest.fixture
    def table(self, connection, spans):
        connection.cursor().execute("CREATE TABLE goods (id INTEGER PRIMARY KEY, name VARCHAR(40) UNIQUE)")
        spans.clear()
        return "goods"

    @pytest.fixture(autouse=True)
    def place(self, mariadb):
        self.expected = {"db.namespace": mariadb.name, "server.address": mariadb.host}

    def test_the_status_code_is_the_servers_number(self, spans, connection):
        with pytest.raises(Exception, match="no_such_table"):
            connection.cursor().execute("SELECT 1 FROM no_such_table")
        assert spans[0].attributes["db.response.status_code"] == "1146"
        assert spans[0].attributes["error.type"] == "1146"

    def test_the_message_of_a_duplicate_does_not_tell_the_value(self, spans, connection, table):
        cursor = connection.cursor()
        cursor.execute(f"INSERT INTO {table} VALUES (%s, %s)", (1, "hunter2"))
        with pytest.raises(Exception, match="hunter2"):
            cursor.execute(f"INSERT INTO {table} VALUES (%s, %s)", (2, "hunter2"))
        assert "hunter2" not in repr([(span.attributes, span.status_description, span.events) for span in spans])

    def test_a_batch_is_one_span_however_many_statements_it_takes(self, spans, connection, table):
        rows = [(number, f"{number}" * 6) for number in range(3000)]
        connection.cursor().executemany(f"INSERT INTO {table} (id, name) VALUES (%s, %s)", rows)
        span = self.only(spans)
        assert span.attributes["db.operation.batch.size"] == 3000
        assert span.attributes["db.query.text"] == f"INSERT INTO {table} (id, name) VALUES (%s, %s)"

    def test_a_batch_of_updates_is_one_span(self, spans, connection, table):
        connection.cursor().executemany(f"UPDATE {table} SET name = %s WHERE id = %s", [("a", 1), ("b", 2)])
        assert self.only(spans).name == f"BATCH UPDATE {table}"

    def test_a_stored_procedure_names_the_span(self, spans, connection):
        cursor = connection.cursor()
        cursor.execute("CREATE PROCEDURE doubled (IN number INT) SELECT number * 2")
        spans.clear()
        cursor.callproc("doubled", (21,))
        span = self.only(spans)
        assert span.name == "CALL doubled"
        assert span.attributes["db.stored_procedure.name"] == "doubled"
        assert span.attributes["db.operation.name"] == "CALL"

    def test_commit_and_rollback_are_no_queries(self, spans, connection, table):
        self.begin(connection)
        connection.cursor().execute(f"INSERT INTO {table} VALUES (1, 'a')")
        connection.commit()
        connection.rollback()
        assert [span.name for span in spans] == [f"INSERT {table}"]

    def begin(self, connection: Any) -> None:
        connection.begin()

    def test_bytes_are_a_query_like_any(self, spans, connection, table):
        connection.cursor().execute(f"SELECT id FROM {table} WHERE name = 'hunter2'".encode())
        assert self.only(spans).attributes["db.query.text"] == f"SELECT id FROM {table} WHERE name = ?"

    def test_the_namespace_is_the_database_that_is_selected_now(self, spans, connection):
        self.select(connection, "information_schema")
        connection.cursor().execute("SELECT 1")
        assert spans[-1].attributes["db.namespace"] == "information_schema"
        assert spans[-1].attributes["server.address"] == "127.0.0.1"

    def select(self, connection: Any, database: str) -> None:
        connection.select_db(database)

    def test_a_closed_connection_never_takes_the_plugin_out(self, spans, connection, another):
        cursor = another.cursor()
        cursor.close()
        another.close()
        for _ in range(15):
            with pytest.raises(Exception, match=r"."):
                cursor.execute("SELECT 1")
        spans.clear()
        connection.cursor().execute("SELECT 1")
        assert [span.name for span in spans] == ["SELECT"]
