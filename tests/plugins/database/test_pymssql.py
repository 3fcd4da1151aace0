"""pymssql, against a stand-in that speaks TDS."""

from __future__ import annotations

import pymssql
import pytest

from plugins.database.canned_sql_server import canned_sql_server
from plugins.database.contract import SqlDriverContract


class TestPymssql(SqlDriverContract):
    system = "microsoft.sql_server"
    exceptions = "pymssql"

    @pytest.fixture
    def port(self):
        with canned_sql_server() as port:
            self.expected = {"db.namespace": "shop", "server.address": "127.0.0.1", "server.port": port}
            yield port

    @pytest.fixture
    def connect(self, port, spans):
        made = []

        def connected(server="127.0.0.1", **options):
            places = {"port": port, "tds_version": "7.4", "autocommit": True, **options}
            made.append(pymssql.connect(server, "shop", "hunter3", "shop", **places))
            return made[-1]

        yield connected
        for one in made:
            one.close()

    @pytest.fixture
    def connection(self, connect):
        return connect()

    @pytest.fixture
    def another(self, connect, port):
        return connect(f"127.0.0.1:{port}", port="1433")

    @pytest.fixture
    def table(self):
        return "goods"

    def test_the_status_code_is_the_servers_number(self, spans, connection):
        with pytest.raises(pymssql.ProgrammingError) as raised:
            connection.cursor().execute("SELECT 1 FROM no_such_table")
        assert raised.value.args[0] == 208
        assert self.only(spans).attributes["db.response.status_code"] == "208"

    def test_the_message_of_a_duplicate_does_not_tell_the_value(self, spans, connection):
        with pytest.raises(pymssql.IntegrityError, match="hunter2"):
            connection.cursor().execute("INSERT INTO duplicate (name) VALUES (%s)", ("hunter2",))
        assert spans[0].attributes["db.response.status_code"] == "2627"
        assert "hunter2" not in repr([(span.attributes, span.status_description, span.events) for span in spans])

    def test_connection_and_cursor_are_the_librarys_own(self, connection):
        cursor = connection.cursor()
        assert type(connection) is pymssql.Connection
        assert type(cursor) is pymssql.Cursor
        assert cursor.connection is connection

    def test_one_value_may_come_by_itself(self, spans, connection):
        connection.cursor().execute("SELECT id FROM goods WHERE name = %s", "hunter2")
        connection.cursor().execute("SELECT id FROM goods WHERE id = %d", 4711)
        assert [span.attributes["db.query.text"] for span in spans] == [
            "SELECT id FROM goods WHERE name = %s",
            "SELECT id FROM goods WHERE id = %d",
        ]

    def test_a_stored_procedure_names_the_span(self, spans, connection):
        connection.cursor().callproc("doubled", (21,))
        span = self.only(spans)
        assert span.name == "CALL doubled"
        assert span.attributes["db.stored_procedure.name"] == "doubled"
        assert span.attributes["db.operation.name"] == "CALL"

    def test_where_it_leads_is_told_however_it_was_said(self, spans, connect, port):
        for options in ({"server": f"127.0.0.1:{port}", "port": "1433"}, {"host": "127.0.0.1"}):
            connect(**options).cursor().execute("SELECT 1")
        assert len(spans) == 2
        assert all(self.expected.items() <= span.attributes.items() for span in spans)
        assert "hunter3" not in repr([span.attributes for span in spans])

    def test_commit_and_rollback_are_no_queries(self, spans, connect):
        connection = connect(autocommit=False)
        connection.cursor().execute("INSERT INTO goods VALUES (1)")
        connection.commit()
        connection.rollback()
        assert [span.name for span in spans] == ["INSERT goods"]

    def test_a_closed_connection_never_takes_the_plugin_out(self, spans, connection, another):
        cursor = another.cursor()
        another.close()
        for _ in range(15):
            with pytest.raises(pymssql.InterfaceError):
                cursor.execute("SELECT 1")
        spans.clear()
        connection.cursor().execute("SELECT 1")
        assert [span.name for span in spans] == ["SELECT"]
