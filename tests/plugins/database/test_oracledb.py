"""oracledb: its own connections and cursors over a stub of its implementation.

What is shown is what the patch does to the library's classes. No server answers here, and none is stood in for.
"""

from __future__ import annotations

import asyncio
import inspect

import oracledb
import pytest
from oracledb.errors import _Error

from plugins.database.contract import SqlDriverContract


class CursorStub:
    statement = None

    def close(self, in_del=False):
        pass


class ConnectionStub:
    """Checks the arguments, runs, fails for a table that is not there, as the library's C implementation does."""

    warning = None
    dsn = "db.example:1522/shop"

    def __init__(self):
        self.ran = []

    def get_host(self):
        return "db.example"

    def get_port(self):
        return 1522

    def get_service_name(self):
        return "shop"

    def create_cursor_impl(self, scrollable):
        return CursorStub()

    def process_sync_operation(self, holder, name, args, kwargs):
        if name == "fetchone":
            return (1,)
        inspect.signature(getattr(holder, f"_{name}")).bind(*args, **kwargs)
        self.ran.append((name, args, kwargs))
        if args and "no_such_table" in str(args[0]):
            raise oracledb.DatabaseError(_Error('ORA-00942: table or view "SHOP"."X" does not exist'))
        holder._impl.statement = args[0]
        return holder

    async def process_async_operation(self, holder, name, args, kwargs):
        return self.process_sync_operation(holder, name, args, kwargs)


def connected(kind=oracledb.Connection):
    made = kind.__new__(kind)
    made._impl = ConnectionStub()
    return made


class TestOracledb(SqlDriverContract):
    system = "oracle.db"
    exceptions = "oracledb"
    mark = ":1"
    marks = ":1, :2"
    expected = {"db.namespace": "shop", "server.address": "db.example", "server.port": 1522}  # noqa: RUF012

    @pytest.fixture
    def connection(self):
        made = connected()
        yield made
        made._impl = None

    @pytest.fixture
    def another(self):
        made = connected()
        yield made
        made._impl = None

    @pytest.fixture
    def table(self):
        return "goods"

    def test_the_status_code_is_oracles_own(self, spans, connection):
        with pytest.raises(oracledb.DatabaseError, match="ORA-00942"):
            connection.cursor().execute("SELECT 1 FROM no_such_table")
        assert self.only(spans).attributes["db.response.status_code"] == "ORA-00942"

    def test_values_may_come_by_name(self, spans, connection):
        connection.cursor().execute("SELECT 1 FROM goods WHERE name = :name AND id = 1", name="hunter2")
        assert self.only(spans).attributes["db.query.text"] == "SELECT 1 FROM goods WHERE name = :name AND id = 1"
        assert "hunter2" not in repr(spans[0].attributes)

    def test_without_a_statement_the_last_one_runs_again(self, spans, connection):
        cursor = connection.cursor()
        cursor.execute("SELECT 1 FROM goods")
        cursor.execute(None)
        assert [span.name for span in spans] == ["SELECT goods"] * 2

    def test_how_often_may_be_a_number(self, spans, connection):
        connection.cursor().executemany("INSERT INTO goods VALUES (1)", 3)
        assert self.only(spans).attributes["db.operation.batch.size"] == 3

    def test_a_stored_procedure_names_the_span(self, spans, connection):
        connection.cursor().callproc("doubled", [21])
        connection.cursor().callfunc("halved", int, [42])
        assert [span.name for span in spans] == ["CALL doubled", "CALL halved"]
        assert [span.attributes["db.stored_procedure.name"] for span in spans] == ["doubled", "halved"]

    def test_the_asyncio_cursors_are_traced_alike(self, spans):
        async def main():
            connection = connected(oracledb.AsyncConnection)
            await connection.cursor().execute("SELECT 1")
            await connection.cursor().executemany("INSERT INTO goods VALUES (:1)", [(1,), (2,)])
            connection._impl = None

        asyncio.run(main())
        assert [span.name for span in spans] == ["SELECT", "BATCH INSERT goods"]
        assert all(self.expected.items() <= span.attributes.items() for span in spans)

    def test_a_closed_connection_never_takes_the_plugin_out(self, spans, connection, another):
        cursor = another.cursor()
        another._impl = None
        for _ in range(15):
            with pytest.raises(oracledb.InterfaceError):
                cursor.execute("SELECT 1")
        spans.clear()
        connection.cursor().execute("SELECT 1")
        assert [span.name for span in spans] == ["SELECT"]
