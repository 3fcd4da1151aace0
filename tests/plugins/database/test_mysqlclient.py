"""mysqlclient"""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from plugins.database.mysql_contract import MysqlDriverContract
from support.servers import missing

try:
    import MySQLdb
    import MySQLdb.cursors
except ImportError:
    missing("mysqlclient is not installed; it wants default-libmysqlclient-dev to compile")


class TestMysqlclient(MysqlDriverContract):
    exceptions = "MySQLdb"

    @pytest.fixture
    def connect(self, mariadb):
        with ExitStack() as stack:

            def connected(**options):
                made = MySQLdb.connect(**{**mariadb.keywords("database"), "autocommit": True, **options})
                stack.callback(lambda: made.close() if made.open else None)
                return made

            yield connected

    def test_connection_and_cursor_are_the_librarys_own(self, connection):
        assert type(connection) is MySQLdb.connections.Connection
        assert type(connection.cursor()) is MySQLdb.cursors.Cursor

    @pytest.mark.parametrize("kind", ["DictCursor", "SSCursor", "SSDictCursor"])
    def test_every_kind_of_cursor_is_traced_once(self, spans, connection, kind):
        with connection.cursor(getattr(MySQLdb.cursors, kind)) as cursor:
            cursor.execute("SELECT 1 AS one")
            assert list(cursor) in ([{"one": 1}], [(1,)])
        assert [span.name for span in spans] == ["SELECT"]

    def test_where_it_leads_may_be_told_by_position(self, spans, mariadb):
        connection = MySQLdb.connect(mariadb.host, mariadb.user, "", mariadb.name, mariadb.port)
        connection.cursor().execute("SELECT 1")
        assert self.expected.items() <= spans[0].attributes.items()
        connection.close()

    def test_a_closed_cursor_gives_the_drivers_own_error(self, connection):
        cursor = connection.cursor()
        cursor.close()
        with pytest.raises(MySQLdb.ProgrammingError, match="cursor closed"):
            cursor.execute("SELECT 1")
