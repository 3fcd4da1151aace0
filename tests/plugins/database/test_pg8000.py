"""pg8000"""

from __future__ import annotations

from contextlib import closing

import pg8000.dbapi
import pg8000.legacy
import pg8000.native
import pytest

from plugins.database.contract import SqlDriverContract


class TestPg8000(SqlDriverContract):
    system = "postgresql"
    exceptions = "pg8000"

    @pytest.fixture
    def connection(self, postgres, spans):
        with closing(pg8000.dbapi.connect(**postgres.keywords("database"))) as made:
            made.autocommit = True
            spans.clear()
            yield made

    @pytest.fixture
    def another(self, postgres, spans):
        with closing(pg8000.legacy.connect(**postgres.keywords("database"))) as made:
            made.autocommit = True
            spans.clear()
            yield made

    @pytest.fixture
    def native(self, postgres, spans):
        with closing(pg8000.native.Connection(**postgres.keywords("database"))) as made:
            spans.clear()
            yield made

    @pytest.fixture
    def table(self, connection, spans):
        connection.cursor().execute("CREATE TABLE goods (id INTEGER, name TEXT UNIQUE)")
        spans.clear()
        return "goods"

    @pytest.fixture(autouse=True)
    def place(self, postgres):
        self.expected = {"db.namespace": postgres.name, "server.address": postgres.host}

    def test_a_query_is_one_client_span_named_by_its_summary(self, spans, connection):
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        assert tuple(cursor.fetchone()) == (1,)
        span = self.only(spans)
        assert (span.name, span.status) == ("SELECT", "UNSET")
        assert self.expected.items() <= span.attributes.items()

    def test_the_status_code_is_the_sqlstate(self, spans, connection):
        with pytest.raises(pg8000.dbapi.DatabaseError, match="42P01"):
            connection.cursor().execute("SELECT 1 FROM no_such_table")
        assert spans[0].attributes["db.response.status_code"] == "42P01"

    def test_the_servers_fields_do_not_tell_the_value(self, spans, connection, table):
        cursor = connection.cursor()
        cursor.execute(f"INSERT INTO {table} VALUES (%s, %s)", (1, "hunter2"))
        with pytest.raises(pg8000.dbapi.DatabaseError, match="hunter2"):
            cursor.execute(f"INSERT INTO {table} VALUES (%s, %s)", (2, "hunter2"))
        with pytest.raises(pg8000.dbapi.DatabaseError, match="hunter2"):
            cursor.execute("SELECT CAST(%s AS integer)", ("hunter2",))
        assert [span.attributes.get("error.type") for span in spans] == [None, "23505", "22P02"]
        assert "hunter2" not in repr([(span.attributes, span.status_description, span.events) for span in spans])

    def test_a_transaction_is_its_queries(self, spans, postgres, table):
        with closing(pg8000.dbapi.connect(**postgres.keywords("database"))) as connection:
            spans.clear()
            connection.cursor().execute(f"INSERT INTO {table} VALUES (1, 'a')")
            connection.commit()
        assert [span.name for span in spans] == [f"INSERT {table}"]

    def test_a_stored_procedure_names_the_span(self, spans, connection):
        cursor = connection.cursor()
        cursor.execute("CREATE PROCEDURE nothing (number integer) LANGUAGE sql AS ''")
        spans.clear()
        cursor.callproc("nothing", (21,))
        assert self.only(spans).name == "CALL nothing"

    def test_the_native_interface_is_traced_alike(self, spans, native):
        assert native.run("SELECT 1") == [[1]]
        assert native.run("SELECT CAST(:name AS text)", name="hunter2") == [["hunter2"]]
        prepared = native.prepare("SELECT CAST(:name AS text)")
        assert prepared.run(name="hunter2") == [["hunter2"]]
        prepared.close()
        assert [span.name for span in spans] == ["SELECT"] * 3
        assert all(self.expected.items() <= span.attributes.items() for span in spans)
        assert "hunter2" not in repr([span.attributes for span in spans])

    def test_the_legacy_interface_is_traced_once(self, spans, another):
        assert list(another.run("SELECT 1")) == [[1]]
        prepared = another.prepare("SELECT CAST(:name AS text)")
        assert list(prepared.run(name="hunter2")) == [["hunter2"]]
        prepared.close()
        assert [span.name for span in spans] == ["SELECT"] * 2
