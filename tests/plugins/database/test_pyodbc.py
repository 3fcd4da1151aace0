"""pyodbc, with the drivers of PostgreSQL and MariaDB that Debian has."""

from __future__ import annotations

import pytest

from plugins.database.contract import SqlDriverContract
from support.servers import missing

try:
    import pyodbc
except ImportError:
    missing("unixodbc is not installed, which pyodbc is built on")


def driver(name):
    if name not in pyodbc.drivers():
        missing(f"no ODBC driver is called {name} (apt-get install odbc-postgresql odbc-mariadb)")
    return name


class OdbcContract(SqlDriverContract):
    """Subclasses give ``text``, a connection string, as a fixture."""

    exceptions = "pyodbc"
    mark = "?"

    @pytest.fixture
    def connection(self, text, spans):
        made = pyodbc.connect(text, autocommit=True)
        spans.clear()
        yield made
        made.close()

    @pytest.fixture
    def another(self, text, spans):
        made = pyodbc.connect(text, autocommit=True)
        spans.clear()
        yield made
        made.close()

    @pytest.fixture
    def table(self, connection, spans):
        connection.execute("CREATE TABLE goods (id INTEGER, name VARCHAR(40) UNIQUE)")
        spans.clear()
        return "goods"

    def test_a_query_is_one_client_span_named_by_its_summary(self, spans, connection):
        """As the contract has it, but rows are of pyodbc's own type."""
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        assert tuple(cursor.fetchone()) == (1,)
        span = self.only(spans)
        assert (span.name, span.status) == ("SELECT", "UNSET")
        assert span.attributes["db.system.name"] == self.system
        assert self.expected.items() <= span.attributes.items()

    def test_connection_and_cursor_are_the_librarys_own(self, connection):
        cursor = connection.cursor()
        assert type(connection) is pyodbc.Connection
        assert type(cursor) is pyodbc.Cursor
        assert cursor.connection is connection
        assert cursor.execute("SELECT 1") is cursor

    def test_values_may_come_one_by_one_and_by_the_connection(self, spans, connection, table):
        connection.execute(f"INSERT INTO {table} VALUES (?, ?)", 1, "hunter2")
        connection.cursor().execute(f"SELECT id FROM {table} WHERE id = ? AND name = ?", 1, "hunter2")
        assert [span.name for span in spans] == [f"INSERT {table}", f"SELECT {table}"]
        assert all(
            "= ?" in span.attributes["db.query.text"] or "(?" in span.attributes["db.query.text"] for span in spans
        )
        assert "hunter2" not in repr([span.attributes for span in spans])

    def test_the_message_of_a_duplicate_does_not_tell_the_value(self, spans, connection, table):
        cursor = connection.cursor()
        cursor.execute(f"INSERT INTO {table} VALUES (?, ?)", (1, "hunter2"))
        with pytest.raises(pyodbc.Error, match="hunter2"):
            cursor.execute(f"INSERT INTO {table} VALUES (?, ?)", (2, "hunter2"))
        assert spans[-1].attributes["db.response.status_code"].startswith("23")
        assert "hunter2" not in repr([(span.attributes, span.status_description, span.events) for span in spans])

    def test_a_fast_batch_is_one_span_too(self, spans, connection, table):
        cursor = connection.cursor()
        cursor.fast_executemany = True
        cursor.executemany(f"INSERT INTO {table} VALUES (?, ?)", [(1, "a"), (2, "b")])
        assert self.only(spans).attributes["db.operation.batch.size"] == 2

    def test_keywords_tell_where_it_leads_and_no_password_is_kept(self, spans, text, place):
        words = dict(pair.split("=", 1) for pair in text.partition(";PWD")[0].split(";"))
        connection = pyodbc.connect(
            f"DRIVER={words['DRIVER']}",
            SERVER=words["SERVER"],
            PORT=words["PORT"],
            DATABASE=words["DATABASE"],
            UID=words["UID"],
            PWD="hunter2" if self.system == "postgresql" else "",
        )
        connection.execute("SELECT 1")
        assert self.expected.items() <= spans[-1].attributes.items()
        assert "hunter2" not in repr(spans[-1].attributes)
        connection.close()

    def test_a_closed_connection_never_takes_the_plugin_out(self, spans, connection, text):
        closed = pyodbc.connect(text)
        cursor = closed.cursor()
        closed.close()
        for _ in range(15):
            with pytest.raises(pyodbc.ProgrammingError):
                cursor.execute("SELECT 1")
        spans.clear()
        connection.cursor().execute("SELECT 1")
        assert [span.name for span in spans] == ["SELECT"]


class TestPyodbcPostgresql(OdbcContract):
    system = "postgresql"

    @pytest.fixture(autouse=True)
    def place(self, postgres):
        self.expected = {"db.namespace": postgres.name, "server.address": postgres.host}

    @pytest.fixture
    def text(self, postgres):
        name = driver("PostgreSQL Unicode")
        where = f"SERVER={postgres.host};PORT={postgres.port};DATABASE={postgres.name}"
        return f"DRIVER={{{name}}};{where};UID={postgres.user};PWD={{hun;ter2}}"


class TestPyodbcMariadb(OdbcContract):
    system = "mariadb"

    @pytest.fixture(autouse=True)
    def place(self, mariadb):
        self.expected = {"db.namespace": mariadb.name, "server.address": mariadb.host}

    @pytest.fixture
    def text(self, mariadb):
        name = driver("MariaDB Unicode")
        where = f"SERVER={mariadb.host};PORT={mariadb.port};DATABASE={mariadb.name}"
        return f"DRIVER={{{name}}};{where};UID={mariadb.user};PWD="
