"""psycopg2"""

from __future__ import annotations

import io
import uuid

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import psycopg2.extras
import pytest
from psycopg2 import sql

from plugins.database.contract import SqlDriverContract


class TestPsycopg2(SqlDriverContract):
    system = "postgresql"
    exceptions = "psycopg2"

    @pytest.fixture
    def connection(self, postgres, spans):
        made = psycopg2.connect(**postgres.keywords())
        made.autocommit = True
        spans.clear()
        yield made
        made.close()

    @pytest.fixture
    def another(self, postgres, spans):
        made = psycopg2.connect(postgres.url)
        made.autocommit = True
        spans.clear()
        yield made
        made.close()

    @pytest.fixture
    def table(self, connection, spans):
        connection.cursor().execute("CREATE TABLE goods (id INTEGER, name TEXT)")
        spans.clear()
        return "goods"

    def where(self, connection):
        parameters = connection.get_dsn_parameters()
        return {"db.namespace": parameters["dbname"], "server.address": parameters["host"]}

    def test_the_status_code_is_the_sqlstate(self, spans, connection):
        with pytest.raises(psycopg2.errors.UndefinedTable):
            connection.cursor().execute("SELECT 1 FROM no_such_table")
        assert spans[0].attributes["db.response.status_code"] == "42P01"

    def test_connection_and_cursor_are_real_ones(self, connection):
        cursor = connection.cursor()
        assert isinstance(connection, psycopg2.extensions.connection)
        assert isinstance(cursor, psycopg2.extensions.cursor)
        assert cursor.connection is connection

    def test_types_are_registered_on_our_connections_as_on_any(self, connection):
        psycopg2.extras.register_uuid(conn_or_curs=connection)
        cursor = connection.cursor()
        cursor.execute("SELECT %s::uuid", (uuid.UUID(int=5),))
        assert cursor.fetchone() == (uuid.UUID(int=5),)

    def test_cursor_factories_are_kept_and_traced(self, spans, connection):
        with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute("SELECT 1 AS one")
            assert cursor.fetchone() == {"one": 1}
        connection.cursor_factory = psycopg2.extras.NamedTupleCursor
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 AS one")
            assert cursor.fetchone().one == 1
        assert [span.name for span in spans] == ["SELECT", "SELECT"]

    def test_a_named_cursor_is_traced(self, spans, connection):
        connection.autocommit = False
        with connection.cursor("named") as cursor:
            cursor.execute("SELECT generate_series(1, 3)")
            assert len(cursor.fetchall()) == 3
        assert [span.name for span in spans] == ["SELECT"]

    def test_composed_queries_are_shown_as_text(self, spans, connection, table):
        query = sql.SQL("SELECT name FROM {} WHERE id = %s").format(sql.Identifier(table))
        connection.cursor().execute(query, (1,))
        assert spans[0].attributes["db.query.text"] == 'SELECT name FROM "goods" WHERE id = %s'

    def test_a_stored_procedure_names_the_span(self, spans, connection):
        cursor = connection.cursor()
        cursor.callproc("version")
        assert cursor.fetchone()[0].startswith("PostgreSQL")
        assert spans[0].attributes["db.stored_procedure.name"] == "version"
        assert spans[0].name == "CALL version"

    def test_execute_values_works(self, spans, connection, table):
        psycopg2.extras.execute_values(
            connection.cursor(), f"INSERT INTO {table} VALUES %s", [(1, "hunter2"), (2, "b")]
        )
        assert "hunter2" not in repr([span.attributes for span in spans])

    def test_connections_that_bring_their_own_cursors_keep_them(self, spans, postgres):
        for factory, row in (
            (psycopg2.extras.DictConnection, lambda found: found["one"]),
            (psycopg2.extras.RealDictConnection, lambda found: found["one"]),
            (psycopg2.extras.NamedTupleConnection, lambda found: found.one),
        ):
            connection = psycopg2.connect(postgres.url, connection_factory=factory)
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 AS one")
                assert row(cursor.fetchone()) == 1
            connection.close()
        assert len(spans.named("SELECT")) == 3

    def test_a_closed_connection_never_takes_the_plugin_out(self, spans, connection, another):
        cursor = another.cursor()
        another.close()
        for _ in range(15):
            with pytest.raises(psycopg2.InterfaceError):
                cursor.execute("SELECT 1")
        spans.clear()
        connection.cursor().execute("SELECT 1")
        assert [span.name for span in spans] == ["SELECT"]

    def test_copying_is_a_span(self, spans, connection, table):
        cursor = connection.cursor()
        cursor.copy_from(io.StringIO("1\thunter2\n"), table)
        found = io.StringIO()
        cursor.copy_to(found, table)
        cursor.copy_expert(f"COPY (SELECT name FROM {table} WHERE name = 'hunter2') TO STDOUT", found)
        assert found.getvalue() == "1\thunter2\nhunter2\n"
        assert [span.name for span in spans][:2] == [f"COPY {table}"] * 2
        assert spans[2].name.startswith("COPY")
        assert spans[0].attributes["db.collection.name"] == table
        assert "hunter2" not in repr([span.attributes for span in spans])
