"""The summary of a query: what it does to what, in the order of the text."""

from __future__ import annotations

import pytest

from remora.conventions import sql

SUMMARIES = [
    ("SELECT * FROM SelectedData", "SELECT SelectedData"),
    ("SELECT 1", "SELECT"),
    ("select a from b where c in (select d from e)", "select b select e"),
    (
        "SELECT o.Id FROM Orders o JOIN Customers c ON o.C = c.Id LEFT OUTER JOIN x.Y USING (Id)",
        "SELECT Orders Customers x.Y",
    ),
    ("SELECT * FROM a, b AS c, (SELECT 1 FROM d) e, f WHERE g = 1 ORDER BY h, i", "SELECT a b SELECT d f"),
    ("SELECT * FROM (a JOIN b ON a.i = b.i), (c CROSS JOIN d)", "SELECT a b c d"),
    ('SELECT * FROM "song list", "public"."artists"', 'SELECT "song list" "public"."artists"'),
    ("SELECT extract(year FROM x), trim(both 'a' from y) FROM t WHERE a IS DISTINCT FROM b", "SELECT t"),
    ("SELECT a FROM t UNION ALL SELECT b FROM u", "SELECT t u"),
    ("(SELECT a FROM t) UNION (SELECT b FROM u)", "SELECT t u"),
    ("SELECT * FROM t FOR UPDATE", "SELECT t"),
    ("SELECT * INTO #tmp FROM t", "SELECT #tmp t"),
    ("SELECT TOP (10) * FROM Employees", "SELECT Employees"),
    ("WITH a AS (SELECT x FROM t) SELECT * FROM a", "SELECT t SELECT a"),
    ("WITH a AS (DELETE FROM t RETURNING *) UPDATE u SET v = 1 FROM a", "DELETE t UPDATE u a"),
    ("INSERT INTO t (a, b) VALUES (1, 2) ON CONFLICT (a) DO UPDATE SET b = 3", "INSERT t"),
    ("INSERT IGNORE INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 1, b = 2", "INSERT t"),
    ("INSERT INTO t SELECT * FROM u", "INSERT t SELECT u"),
    ("INSERT ALL INTO a VALUES (1) INTO b VALUES (2) SELECT * FROM dual", "INSERT a b SELECT dual"),
    ("REPLACE INTO t SET a = 1", "REPLACE t"),
    ("UPDATE t SET a = (SELECT max(b) FROM u) WHERE c = 1", "UPDATE t SELECT u"),
    ("UPDATE a JOIN b ON a.x = b.x SET a.y = 1", "UPDATE a b"),
    ("UPDATE ONLY t SET a = 1 FROM u", "UPDATE t u"),
    ("DELETE FROM t WHERE a = 1", "DELETE t"),
    ("DELETE TOP (10) FROM t", "DELETE t"),
    ("DELETE FROM a USING b, c WHERE a.i = b.i", "DELETE a b c"),
    (
        "MERGE INTO t USING s ON x WHEN MATCHED THEN UPDATE SET a = 1 WHEN NOT MATCHED THEN INSERT (a) VALUES (2)",
        "MERGE t s",
    ),
    ("CREATE TABLE IF NOT EXISTS Users (Id INT REFERENCES x (y) ON DELETE CASCADE)", "CREATE TABLE Users"),
    ("CREATE TABLE x AS SELECT * FROM y", "CREATE TABLE x SELECT y"),
    ("CREATE UNIQUE CLUSTERED INDEX i ON t (a)", "CREATE INDEX i"),
    ("CREATE OR REPLACE VIEW v AS SELECT * FROM t", "CREATE VIEW v"),
    ("CREATE PROCEDURE p @a INT AS SELECT * FROM t; SELECT 2", "CREATE PROCEDURE p"),
    ("CREATE TRIGGER tr ON t AFTER UPDATE AS BEGIN UPDATE t SET a = 1; END;", "CREATE TRIGGER tr"),
    ("CREATE USER joe WITH PASSWORD = 'x'", "CREATE USER joe"),
    ("ALTER TABLE t DROP COLUMN c", "ALTER TABLE t"),
    ("ALTER DATABASE d MODIFY NAME = e", "ALTER DATABASE d"),
    ("DROP TABLE IF EXISTS a, b CASCADE", "DROP TABLE a b"),
    ("DROP PROCEDURE IF EXISTS p;", "DROP PROCEDURE p"),
    ("TRUNCATE TABLE a, b", "TRUNCATE a b"),
    ("EXEC dbo.p 1, 'x'", "EXEC dbo.p"),
    ("EXEC @result = p @a = 1", "EXEC p"),
    ("{call some_procedure(?, ?)}", "call some_procedure"),
    ("CALL p(1); SELECT 1", "CALL p SELECT"),
    ("EXPLAIN ANALYZE SELECT * FROM t", "EXPLAIN SELECT t"),
    ("EXPLAIN (ANALYZE, BUFFERS) UPDATE t SET a = 1", "EXPLAIN UPDATE t"),
    ("DECLARE c CURSOR FOR SELECT * FROM t", "DECLARE SELECT t"),
    ("FETCH FORWARD 10 FROM c", "FETCH"),
    ("BEGIN; INSERT INTO t VALUES (1); COMMIT", "BEGIN INSERT t COMMIT"),
    ('SAVEPOINT "s140_x1"', "SAVEPOINT"),
    ("GRANT SELECT, INSERT ON TABLE t TO joe", "GRANT t"),
    ("SET NOCOUNT ON INSERT INTO t VALUES (1)", "SET INSERT t"),
    ("COPY t (a, b) FROM STDIN", "COPY t"),
    ("COPY (SELECT * FROM t) TO STDOUT", "COPY SELECT t"),
    ("PRAGMA table_info(t)", "PRAGMA table_info"),
    ("SELECT * FROM %s", "SELECT"),
    ("SELECT * FROM 'a file'", "SELECT"),
    ("hello world", None),
    ("", None),
    ("'x'", None),
]


@pytest.mark.parametrize(("query", "expected"), SUMMARIES)
def test_a_query_is_summed_up(query: str, expected: str | None) -> None:
    statement = sql.read(query, "other_sql")
    assert statement is not None
    assert statement.summary == expected


def test_a_summary_ends_before_the_first_part_that_does_not_fit() -> None:
    long = "t" * 250
    statement = sql.read(f"SELECT * FROM {long}, u", "other_sql")
    assert statement is not None
    assert statement.summary == "SELECT"
    statement = sql.read("SELECT * FROM " + ", ".join(f"table_{number}" for number in range(100)), "other_sql")
    assert statement is not None
    assert statement.summary is not None
    assert 240 < len(statement.summary) <= 255
    assert statement.summary.split()[-1] in {f"table_{number}" for number in range(100)}


def test_the_same_query_with_other_literals_has_the_same_summary_and_text() -> None:
    first = sql.read("SELECT * FROM t WHERE a = 'x' AND b IN (1, 2)", "postgresql")
    second = sql.read("SELECT * FROM t WHERE a = 'y' AND b IN (3)", "postgresql")
    assert first is not None
    assert second is not None
    assert (first.text, first.summary) == (second.text, second.summary)
