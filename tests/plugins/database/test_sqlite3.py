"""sqlite3"""

from __future__ import annotations

import sqlite3

import pytest

from plugins.database.contract import SqlDriverContract


def connected(name=":memory:", **options):
    return sqlite3.connect(name, isolation_level=None, **options)


class TestSqlite3(SqlDriverContract):
    system = "sqlite"
    exceptions = "sqlite3"
    mark = "?"
    expected = {"db.namespace": ":memory:"}  # noqa: RUF012 - never changed

    @pytest.fixture
    def connection(self):
        made = connected()
        yield made
        made.close()

    @pytest.fixture
    def another(self):
        made = connected()
        yield made
        made.close()

    @pytest.fixture
    def table(self, connection, spans):
        connection.execute("CREATE TABLE goods (id INTEGER, name TEXT)")
        spans.clear()
        return "goods"

    def test_the_connections_own_execute_is_one_span_too(self, spans, connection):
        assert connection.execute("SELECT 1").fetchone() == (1,)
        assert [span.name for span in spans] == ["SELECT"]

    def test_a_script_is_one_span(self, spans, connection):
        connection.executescript("CREATE TABLE a (b); INSERT INTO a VALUES ('hunter2');")
        (span,) = spans
        assert span.name == "CREATE TABLE a INSERT a"
        assert "hunter2" not in repr(span.attributes)

    def test_connection_and_cursor_are_real_ones(self, connection):
        cursor = connection.cursor()
        assert isinstance(connection, sqlite3.Connection)
        assert isinstance(cursor, sqlite3.Cursor)
        assert (type(connection).__name__, type(connection).__module__) == ("Connection", "sqlite3")
        assert cursor.connection is connection

    def test_row_factories_and_adapters_work(self, connection):
        connection.row_factory = sqlite3.Row
        assert connection.execute("SELECT 1 AS one").fetchone()["one"] == 1

    def test_a_factory_of_the_program_is_kept_and_traced(self, spans):
        class Mine(sqlite3.Connection):
            def total(self):
                return self.execute("SELECT 40 + 2").fetchone()[0]

        class MineToo(sqlite3.Cursor):
            pass

        connection = connected(factory=Mine)
        assert isinstance(connection, Mine)
        assert connection.total() == 42
        assert isinstance(connection.cursor(MineToo), MineToo)
        connection.cursor(MineToo).execute("SELECT 1")
        assert [span.name for span in spans] == ["SELECT", "SELECT"]
        connection.close()

    def test_a_file_is_the_namespace(self, spans, tmp_path):
        connection = connected(tmp_path / "shop.db")
        connection.execute("SELECT 1")
        assert spans[0].attributes["db.namespace"] == str(tmp_path / "shop.db")
        connection.close()

    def test_a_program_class_with_a_cursor_method_of_its_own_goes_on_deciding(self, spans):
        class Cursor(sqlite3.Cursor):
            pass

        class Fixed(sqlite3.Connection):
            def cursor(self):
                return super().cursor(Cursor)

        class Defaulting(sqlite3.Connection):
            def cursor(self, factory=Cursor):
                return super().cursor(factory)

        class Strict(sqlite3.Connection):
            def __init_subclass__(cls, *, needed, **kwargs):
                super().__init_subclass__(**kwargs)

        for factory in (Fixed, Defaulting):
            connection = connected(factory=factory)
            cursor = connection.cursor()
            assert isinstance(cursor, Cursor)
            cursor.execute("SELECT 1")
            connection.close()
        assert [span.name for span in spans] == ["SELECT", "SELECT"]
        connected(factory=Strict).close()

    def test_a_query_from_a_function_of_the_program_is_a_span_of_its_own(self, spans):
        outer, inner = connected(), connected()
        outer.create_function("lookup", 0, lambda: inner.execute("SELECT 41 + 1").fetchone()[0])
        assert outer.execute("SELECT lookup()").fetchone() == (42,)
        assert len(spans) == 2
        for connection in (outer, inner):
            connection.close()

    def test_a_closed_connection_never_takes_the_plugin_out(self, spans, connection):
        closed = connected()
        cursor = closed.cursor()
        closed.close()
        for _ in range(15):
            with pytest.raises(sqlite3.ProgrammingError):
                cursor.execute("SELECT 1")
        spans.clear()
        connection.execute("SELECT 1")
        assert [span.name for span in spans] == ["SELECT"]
