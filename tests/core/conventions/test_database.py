"""Database calls: their names, their addresses, and what is told of a failure."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

import pytest

from remora.conventions.call import CLIENT
from remora.conventions.database import DatabaseCall
from remora.conventions.database_status import status_code


def test_a_query_is_named_after_its_summary() -> None:
    call = DatabaseCall("postgresql", "SELECT * FROM users WHERE id = 1", namespace="shop", host="db", port=5432)
    assert call.name() == "SELECT users"
    assert call.kind == CLIENT
    assert call.start() == {
        "db.system.name": "postgresql",
        "db.namespace": "shop",
        "db.query.text": "SELECT * FROM users WHERE id = ?",
        "db.query.summary": "SELECT users",
        "server.address": "db",
    }


def test_a_parameterized_query_is_shown_as_written() -> None:
    query = "SELECT * FROM users WHERE id = %s AND kind = 'a'"
    assert DatabaseCall("postgresql", query, parameterized=True).start()["db.query.text"] == query


@pytest.mark.parametrize("text", [b"SELECT 'x' FROM t", bytearray(b"SELECT 'x' FROM t"), "SELECT 'x' FROM t"])
def test_a_query_may_be_bytes(text: object) -> None:
    assert DatabaseCall("postgresql", text).start()["db.query.text"] == "SELECT ? FROM t"


NAMES: list[tuple[dict[str, Any], str]] = [
    ({"text": "SELECT 1 FROM t", "operation": "X"}, "SELECT t"),
    ({"operation": "find", "collection": "users", "namespace": "shop"}, "find users"),
    ({"operation": "ping", "namespace": "shop"}, "ping shop"),
    ({"operation": "ping", "host": "db", "port": 27017}, "ping db:27017"),
    ({"operation": "ping"}, "ping"),
    ({"namespace": "shop"}, "shop"),
    ({"host": "/run/db.sock"}, "/run/db.sock"),
    ({}, "mongodb"),
    ({"system": "redis", "operation": "GET", "namespace": "3", "host": "cache", "port": 6379}, "GET cache:6379"),
    ({"system": "postgresql", "text": "?!"}, "postgresql"),
    ({"system": "postgresql", "operation": "CALL", "stored_procedure": "f"}, "CALL f"),
    ({"operation": "find", "collection": "users", "batch_size": 3}, "BATCH find users"),
    (
        {"system": "postgresql", "text": "INSERT INTO t VALUES (%s)", "parameterized": True, "batch_size": 3},
        "BATCH INSERT t",
    ),
    ({"system": "postgresql", "text": "INSERT INTO t VALUES (%s)", "parameterized": True, "batch_size": 1}, "INSERT t"),
    (
        {"system": "postgresql", "text": "INSERT INTO t VALUES (%s)", "parameterized": True, "batch_size": 0},
        "BATCH INSERT t",
    ),
]


@pytest.mark.parametrize(("fields", "expected"), NAMES)
def test_the_name_follows_the_convention(fields: dict[str, Any], expected: str) -> None:
    fields = dict(fields)
    if "text" in fields and "system" not in fields:
        fields["system"] = "postgresql"
    assert DatabaseCall(fields.pop("system", "mongodb"), fields.pop("text", None), **fields).name() == expected


def test_a_stored_procedure_called_by_name_is_told_like_a_query() -> None:
    start = DatabaseCall("postgresql", operation="CALL", stored_procedure="f").start()
    assert start["db.operation.name"] == "CALL"
    assert start["db.stored_procedure.name"] == "f"
    assert start["db.query.summary"] == "CALL f"
    assert "db.query.text" not in start


@pytest.mark.parametrize(("size", "told"), [(None, None), (0, 0), (1, None), (2, 2), (1000, 1000), (-1, None)])
def test_a_batch_of_one_is_no_batch(size: int | None, told: int | None) -> None:
    start = DatabaseCall("postgresql", "INSERT INTO t VALUES (1)", batch_size=size).start()
    assert start.get("db.operation.batch.size") == told
    assert start["db.query.summary"] == ("INSERT t" if told is None else "BATCH INSERT t")


@pytest.mark.parametrize(
    ("system", "port", "told"),
    [
        ("postgresql", 5432, None),
        ("postgresql", 5433, 5433),
        ("mysql", 3306, None),
        ("redis", "6380", 6380),
        ("x", 1, 1),
    ],
)
def test_only_an_unusual_port_is_told(system: str, port: object, told: int | None) -> None:
    assert DatabaseCall(system, host="db", port=port).start().get("server.port") == told


def test_a_socket_has_no_port() -> None:
    start = DatabaseCall("postgresql", host="/var/run/postgresql", port=5433).start()
    assert start["server.address"] == "/var/run/postgresql"
    assert "server.port" not in start


def test_the_text_of_a_system_without_sql_is_shown_only_on_the_plugins_word() -> None:
    assert "db.query.text" not in DatabaseCall("redis", "SET key secret").start()
    assert DatabaseCall("redis", "SET key ?", parameterized=True).start()["db.query.text"] == "SET key ?"


class Coded(Exception):  # noqa: N818 - stands for the exceptions of many drivers
    def __init__(self, *args: object, **attributes: object) -> None:
        super().__init__(*args)
        for name, value in attributes.items():
            setattr(self, name, value)


class Code:
    full_code = "ORA-00942"


CODES = [
    ("postgresql", Coded("x", sqlstate="23505"), "23505"),
    ("postgresql", Coded("x", pgcode="23505"), "23505"),
    ("postgresql", Coded("x", pgcode=None), None),
    ("mysql", Coded(1062, "Duplicate entry"), "1062"),
    ("mysql", Coded("x", errno=1062, sqlstate="23000"), "1062"),
    ("mysql", Coded(0, ""), None),
    ("microsoft.sql_server", Coded("42S02", "[42S02] no table"), "42S02"),
    ("microsoft.sql_server", Coded(208, b"Invalid object"), "208"),
    ("oracle.db", Coded(Code()), "ORA-00942"),
    ("sqlite", Coded("x", sqlite_errorname="SQLITE_CONSTRAINT_UNIQUE"), "SQLITE_CONSTRAINT_UNIQUE"),
    ("postgresql", Coded("wrapped", orig=Coded("x", sqlstate="40001")), "40001"),
    ("postgresql", ValueError("x"), None),
    ("postgresql", ValueError("HELLO", 1), "HELLO"),
]


@pytest.mark.parametrize(("system", "exception", "expected"), CODES)
def test_the_databases_own_code_is_found(system: str, exception: BaseException, expected: str | None) -> None:
    assert status_code(system, exception) == expected


def test_a_failure_goes_by_the_databases_code() -> None:
    end = DatabaseCall("postgresql", "SELECT 1").end(Coded("x", sqlstate="23505"))
    assert end == {"db.response.status_code": "23505", "error.type": "23505"}


def test_without_a_code_it_goes_by_the_exception() -> None:
    assert DatabaseCall("postgresql", "SELECT 1").end(ValueError("x")) == {"error.type": "ValueError"}


def test_the_plugin_may_tell_code_peer_and_error() -> None:
    call = DatabaseCall("mongodb", operation="find")
    call.status_code, call.error_type, call.peer_address, call.peer_port = 11000, "11000", "10.0.0.2", 27018
    assert call.end(None) == {
        "db.response.status_code": "11000",
        "error.type": "11000",
        "network.peer.address": "10.0.0.2",
        "network.peer.port": 27018,
    }


def test_a_call_given_up_by_its_caller_is_no_error() -> None:
    assert DatabaseCall("postgresql", "SELECT 1").end(asyncio.CancelledError()) == {}


def test_a_real_database_error_is_told_without_its_data() -> None:
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE TABLE t (a TEXT UNIQUE)")
        connection.execute("INSERT INTO t VALUES ('s3cret')")
        with pytest.raises(sqlite3.IntegrityError) as failed:
            connection.execute("INSERT INTO t VALUES ('s3cret')")
    finally:
        connection.close()
    call = DatabaseCall("sqlite", "INSERT INTO t VALUES ('s3cret')")
    assert call.description(failed.value) == "UNIQUE constraint failed: t.a"
    assert call.end(failed.value)["error.type"] in ("SQLITE_CONSTRAINT_UNIQUE", "sqlite3.IntegrityError")


def test_the_description_has_no_data_of_the_database() -> None:
    error = Coded("duplicate key\nDETAIL:  Key (email)=(s3cret) already exists.\nand 's3cret'")
    assert "s3cret" not in (DatabaseCall("postgresql").description(error) or "")


@pytest.mark.parametrize("value", ["x", b"\xff", object(), 1.5, [], None, -1, 10**40])
def test_nothing_a_plugin_may_set_makes_it_raise(value: Any) -> None:
    call = DatabaseCall(
        value if isinstance(value, str) else "postgresql",
        value,
        namespace=value,
        host=value,
        port=value,
        operation=value,
        collection=value,
        stored_procedure=value,
        batch_size=value,
    )
    call.status_code = call.peer_address = call.peer_port = call.error_type = value
    found = [call.name(), *call.start().values(), *call.end(RuntimeError()).values()]
    assert all(type(each) in (str, int) for each in found)


def test_a_call_inside_another_is_the_same_only_if_the_query_or_without_one_the_system_is() -> None:
    query = DatabaseCall("postgresql", "SELECT 1")
    assert DatabaseCall("postgresql", "SELECT 1").doubles(query)
    assert not DatabaseCall("postgresql", "SELECT 2").doubles(query)
    assert DatabaseCall("postgresql", operation="CALL").doubles(query)
    assert not DatabaseCall("memcached", operation="get").doubles(query)
