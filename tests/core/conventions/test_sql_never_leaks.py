"""Whatever the query, no literal of it is found in its text or summary, and nothing is raised."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remora.conventions import sql, sql_dialects, sql_literals, sql_summary

CANARY = "canary7Bird"
NUMBER = "7391846205"

SYSTEMS = sorted({*sql_dialects._BY_SYSTEM, "other_sql", "trino"})
BACKSLASHES = {"mysql", "mariadb", "tidb", "clickhouse", "snowflake", "databricks", "hive", "spark", "gcp.spanner"}
BACKSLASHES |= {"gcp.bigquery", "bigquery"}

# Everything that begins or ends something, so that generated queries nest all of it in all of it.
PIECES = [
    " ", "\n", ",", "(", ")", ";", "=", "-", "--", "/*", "*/", "#", "$", "$$", "$a$",
    "'", "''", '"', '""', "`", "[", "]", "\\",
    "\\'", "a", "t1", "select ", " from ", " where ", "values ", " in ", "E", "N",
    "q", "1", ".5", "?", "%s", ":x", "true",
]  # fmt: skip

GLUE = [
    "SELECT ", ", ", " FROM t WHERE a = ", " AND b IN (", ") OR c LIKE ", "\n", " -- x\n", " /* y */ ",
    "INSERT INTO t VALUES (", " = ", "(", ")", "; ", " || ", "::text, ", "a.b + ",
    '"id" = ', "x1 - ", "CASE WHEN ", " THEN ", " END ",
]  # fmt: skip


def literals(system: str) -> list[str]:
    """How the system may write the canaries."""
    found = [
        f"'{CANARY}'",
        f"'it''s {CANARY}'",
        f"N'{CANARY}'",
        f"X'{CANARY}'",
        f"'-- {CANARY}'",
        f"'/* {CANARY}'",
        f"'\" {CANARY} \"'",
        f"'$$ {CANARY}'",
        NUMBER,
        f"-{NUMBER}",
        f"+{NUMBER}.{NUMBER}",
        f".{NUMBER}",
        f"{NUMBER}e-{NUMBER[:3]}",
        f"0x{NUMBER}AF",
        f"DATE '{CANARY}'",
        f"/* {CANARY} */ 1",
        f"/* ' {CANARY} */ 1",
    ]
    if system in BACKSLASHES:
        found += [f"'it\\'s {CANARY}'", f"'{CANARY}\\\\'"]
    if system in ("postgresql", "cockroachdb"):
        found += [f"E'it\\'s {CANARY}'", f"$${CANARY}$$", f"$x$ ' {CANARY} $$ $x$", f"U&'{CANARY}'", f"'{CANARY}\\'"]
    if system in ("mysql", "mariadb", "tidb"):
        found += [f'"{CANARY}"', f'"it\'s \\" {CANARY}"', f"_utf8'{CANARY}'"]
    if system == "oracle.db":
        found += [f"q'[it's {CANARY}]'", f"nq'!{CANARY}!'"]
    if system == "sqlite":
        found += [f'a = "{CANARY}"', f'VALUES (1, "{CANARY}")', f'b IN ("{CANARY}", 2)']
    if system == "microsoft.sql_server":
        found += [f"${NUMBER}", f"[a'b] = '{CANARY}'"]
    return found


@pytest.mark.parametrize("system", SYSTEMS)
@given(data=st.data())
def test_no_literal_survives_in_any_place(system: str, data: st.DataObject) -> None:
    literal = st.sampled_from(literals(system))
    parts = data.draw(st.lists(st.tuples(st.lists(st.sampled_from(GLUE), max_size=3), literal), min_size=1, max_size=6))
    query = "SELECT " + "".join("".join(glue) + " " + each for glue, each in parts)
    statement = sql._worked_out(query, sql_dialects.of(system) or sql_dialects.UNKNOWN)
    for shown in (statement.text, statement.summary or ""):
        assert CANARY not in shown
        assert NUMBER[:5] not in shown


@pytest.mark.parametrize("system", SYSTEMS)
@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_no_query_makes_it_raise(system: str, query: str) -> None:
    clean = sql_literals.removed(query, sql_dialects.of(system) or sql_dialects.UNKNOWN)
    summary = sql_summary.summarised(clean)
    assert summary is None or 0 < len(summary) <= sql_summary.MAX_SUMMARY_CHARS


@given(st.text())
def test_any_text_is_answered(text: str) -> None:
    assert sql.read(text, "postgresql") is not None


HOSTILE = [
    "'" * 32_001,
    "[" * 32_000,
    "/*" * 16_000,
    "/* */" * 6000,
    "$a" * 16_000,
    "--\n" * 10_000,
    "(" * 32_000,
    "a." * 16_000,
    "a . " * 8000,
    "in (" + " ?, " * 8000,
    "identified with " * 2000,
    "identified by " * 2000,
    '"true' * 6000,
    "\\'" * 16_000,
    "select " * 4600,
    "1e" * 16_000,
    '"' * 32_001,
    "`" * 32_001,
]


@pytest.mark.parametrize("query", HOSTILE, ids=lambda query: repr(query[:12]))
@pytest.mark.parametrize("system", ["other_sql", "mysql", "sqlite", "microsoft.sql_server", "oracle.db"])
def test_a_hostile_query_is_answered_at_once(system: str, query: str) -> None:
    # Quadratic work on these takes many seconds; the bound is far above what a busy machine needs for linear work.
    begin = time.process_time()
    sql._worked_out(query, sql_dialects.of(system) or sql_dialects.UNKNOWN)
    assert time.process_time() - begin < 2
