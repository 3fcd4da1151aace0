"""PyMySQL"""

from __future__ import annotations

from contextlib import ExitStack

import pymysql
import pymysql.cursors
import pytest

from plugins.database.mysql_contract import MysqlDriverContract


class TestPymysql(MysqlDriverContract):
    exceptions = "pymysql"

    @pytest.fixture
    def connect(self, mariadb):
        with ExitStack() as stack:

            def connected(**options):
                made = pymysql.connect(**{**mariadb.keywords("database"), "autocommit": True, **options})
                stack.callback(lambda: made.close() if made.open else None)
                return made

            yield connected

    @pytest.mark.parametrize("kind", ["DictCursor", "SSCursor", "SSDictCursor"])
    def test_every_kind_of_cursor_is_traced_once(self, spans, connection, kind):
        with connection.cursor(getattr(pymysql.cursors, kind)) as cursor:
            cursor.execute("SELECT 1 AS one")
            assert list(cursor) in ([{"one": 1}], [(1,)])
        assert [span.name for span in spans] == ["SELECT"]

    def test_a_cursor_of_the_program_is_traced_once(self, spans, connect):
        class Mine(pymysql.cursors.DictCursor):
            def execute(self, query, args=None):
                return super().execute(query, args)

        connection = connect(cursorclass=Mine)
        spans.clear()
        cursor = connection.cursor()
        cursor.execute("SELECT 1 AS one")
        assert isinstance(cursor, Mine)
        assert cursor.fetchone() == {"one": 1}
        assert [span.name for span in spans] == ["SELECT"]

    def test_arguments_may_be_named(self, spans, connection, table):
        connection.cursor().execute(query=f"SELECT id FROM {table} WHERE id = %s", args=(4711,))
        connection.cursor().executemany(query=f"DELETE FROM {table} WHERE id = %s", args=[(4711,), (4712,)])
        assert [span.name for span in spans] == [f"SELECT {table}", f"BATCH DELETE {table}"]
        assert spans[0].attributes["db.query.text"] == f"SELECT id FROM {table} WHERE id = %s"

    def test_a_batch_from_a_generator_is_one_span(self, spans, connection, table):
        rows = ((number, str(number)) for number in range(5))
        connection.cursor().executemany(f"INSERT INTO {table} (id, name) VALUES (%s, %s)", rows)
        assert [span.name for span in spans] == [f"INSERT {table}"]

    def test_a_closed_cursor_gives_the_drivers_own_error(self, connection):
        cursor = connection.cursor()
        cursor.close()
        with pytest.raises(pymysql.ProgrammingError, match="Cursor closed"):
            cursor.execute("SELECT 1")
