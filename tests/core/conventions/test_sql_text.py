"""The text of a query is shown without any of its literals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from remora.conventions import sql, sql_dialects

if TYPE_CHECKING:
    from collections.abc import Callable


def text_of(query: str, system: str) -> str:
    statement = sql.read(query, system)
    assert statement is not None
    return statement.text


def test_the_conventions_own_cases_hold(reference: Callable[[str], Any]) -> None:
    cases = reference("db-sql-test-cases.json")
    assert len(cases) >= 24
    for case in cases:
        statement = sql.read(case["input"]["query"], case["input"]["db.system.name"])
        assert statement is not None
        assert statement.text in case["expected"]["db.query.text"], case["name"]
        assert statement.summary == case["expected"]["db.query.summary"], case["name"]


ANY = "other_sql"
PG = "postgresql"
MY = "mysql"
MS = "microsoft.sql_server"
ORA = "oracle.db"

TEXTS = [
    (ANY, "SELECT 'it''s', 12, -1.5e-3, .5, 0xFF FROM t1", "SELECT ?, ?, ?, ?, ? FROM t1"),
    (ANY, "SELECT x-1, (y)-2, z - 3, 4 -5", "SELECT x-?, (y)-?, z - ?, ? ?"),
    (
        ANY,
        "SELECT a FROM t WHERE b IN (1, 2,3) AND c NOT IN ('x' , 'y')",
        "SELECT a FROM t WHERE b IN (?) AND c NOT IN (?)",
    ),
    (ANY, "SELECT f(1, 2), within(3, 4)", "SELECT f(?, ?), within(?, ?)"),
    (ANY, "SELECT DATE '2020-01-01', INTERVAL '1' DAY, TIME'12:00'", "SELECT DATE ?, INTERVAL ? DAY, TIME?"),
    (ANY, "SELECT N'a', X'1F', B'01', _utf8'x', LIKE'y'", "SELECT ?, ?, ?, _utf8?, LIKE?"),
    (ANY, 'SELECT TRUE, False, "true", t.truest', 'SELECT ?, ?, "true", t.truest'),
    (ANY, "SELECT /* 'x' 1 */ a -- 'y' 2\nFROM/**/t", "SELECT  a \nFROM t"),
    (ANY, 'SELECT "a 1", "b\'c" FROM "t""2"', 'SELECT "a 1", "b\'c" FROM "t""2"'),
    (ANY, "SELECT ?, %s, %(name1)s, :name2, $3, @p4 FROM t", "SELECT ?, %s, %(name1)s, :name2, $3, @p4 FROM t"),
    (ANY, "SELECT 'open and secret", "SELECT ?"),
    (ANY, 'SELECT "open and secret', "SELECT ?"),
    (ANY, "SELECT 1 /* open and secret", "SELECT ? "),
    (ANY, 'SELECT "' + "x" * 200 + '"', "SELECT ?"),
    (ANY, "SELECT * FROM t WHERE a = 'C:\\' AND b = 'secret'", "SELECT * FROM t WHERE a = ?"),
    (ANY, "CREATE USER u IDENTIFIED BY s3cret", "CREATE USER u IDENTIFIED BY ?"),
    (PG, "SELECT $$a'b$$, $x$ $$ $x$, E'a\\'b', U&'d\\0061', 'c'", "SELECT ?, ?, ?, ?, ?"),
    (PG, "SELECT $open$ secret", "SELECT ?"),
    (PG, "SELECT a[1], b::int, c->>'k', $1 FROM t", "SELECT a[?], b::int, c->>?, $1 FROM t"),
    (PG, "SELECT /* a /* b */ 'c' secret */ d", "SELECT  d"),
    (MY, "SELECT \"it's\", 'it\\'s', \"a\\\"b\" FROM `it's`", "SELECT ?, ?, ? FROM `it's`"),
    (MY, "SELECT a--1 # 'c'\nFROM t -- d", "SELECT a-? \nFROM t "),
    (MS, "SELECT [it's], N'x', $1.50 FROM [a b] WHERE c = @p1", "SELECT [it's], ?, $? FROM [a b] WHERE c = @p1"),
    (ORA, "SELECT q'[it's]', nq'{a}', q'!b!', :1, :name FROM dual", "SELECT ?, ?, ?, :1, :name FROM dual"),
    (
        "sqlite",
        'SELECT "a" FROM [b c] WHERE d = "x" AND "e" IN ("y", 1)',
        'SELECT "a" FROM [b c] WHERE d = ? AND "e" IN (?)',
    ),
    ("sqlite", 'INSERT INTO t ("a") VALUES ("x"), ("y")', 'INSERT INTO t ("a") VALUES (?), (?)'),
    ("sqlite", 'SELECT ?1, :b FROM "t" WHERE "t"."a" = "t"."b"', 'SELECT ?1, :b FROM "t" WHERE "t"."a" = "t"."b"'),
    ("cassandra", "SELECT * FROM t WHERE i = f47ac10b-58cc-4372-a567-0e02b2c3d479", "SELECT * FROM t WHERE i = ?"),
    ("gcp.spanner", 'SELECT """a"b""", \'\'\'c\'d\'\'\', "e"', "SELECT ?, ?, ?"),
    ("ibm.informix", 'SELECT * FROM t WHERE a = "x"', "SELECT * FROM t WHERE a = ?"),
]


@pytest.mark.parametrize(("system", "query", "expected"), TEXTS)
def test_literals_go_and_all_else_stays(system: str, query: str, expected: str) -> None:
    assert text_of(query, system) == expected


def test_a_system_without_sql_is_not_read_as_sql() -> None:
    assert sql.read("SET key secret", "redis") is None


def test_a_long_text_is_shown_in_part() -> None:
    statement = sql.read("SELECT " + "a, " * 20_000 + "'secret'", PG)
    assert statement is not None
    assert len(statement.text) <= sql.MAX_TEXT_CHARS
    assert len(statement.raw) <= sql.MAX_TEXT_CHARS
    assert statement.summary == "SELECT"


def test_a_text_is_worked_out_once() -> None:
    query = "SELECT once FROM t"
    assert sql.read(query, PG) is sql.read("SELECT once" + " FROM t", PG)


def test_a_dialect_does_not_answer_for_another() -> None:
    query = 'SELECT "x"'
    assert text_of(query, MY) == "SELECT ?"
    assert text_of(query, PG) == query


def test_endless_new_texts_do_not_fill_the_memory() -> None:
    dialect = sql_dialects.of("trino")
    assert dialect is not None
    for number in range(3000):
        sql.read(f"SELECT {number}", "trino")
    assert len(dialect.statements) <= 1024


def test_a_huge_text_is_not_remembered() -> None:
    dialect = sql_dialects.of(ORA)
    assert dialect is not None
    query = "SELECT " + "x" * 40_000
    sql.read(query, ORA)
    assert dialect.statements.find(query) is None
