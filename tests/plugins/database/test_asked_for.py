"""What users ask for of databases: comments that take the trace along, and the number of returned rows.

Each is asked for when a process starts, so each program here is a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest

from remora.conventions import sql_comment

_START = """
import asyncio, json, sys
from contextlib import closing
from remora.testing import collect

class Out:
    # What the server says it was sent, and what was told of it.
    def __init__(self): self.sent = []
out = Out()

def tell(spans):
    told = [{"name": s.name, "trace": s.trace_id, "span": s.span_id, "attributes": s.attributes} for s in spans
            if s.kind == "CLIENT"]
    metrics = [sorted(map(str, point.attributes.items())) for point in spans.metrics]
    print(json.dumps({"sent": out.sent, "spans": told, "metrics": metrics}))
"""

POSTGRES = "SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()"
MARIADB = "SELECT info FROM information_schema.processlist WHERE id = connection_id()"


def run(program, *arguments, **environ):
    source = _START + textwrap.dedent(program)
    done = subprocess.run(
        [sys.executable, "-c", source, *map(str, arguments)],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def traceparent(span, flags="03"):  # sampled, and a trace id that was drawn by us
    return f"/*traceparent='00-{span['trace']}-{span['span']}-{flags}'*/"


_DBAPI = """
with collect() as spans, closing(connect()) as connection:
    cursor = connection.cursor()
    for query, values in QUERIES:
        cursor.execute(query, values) if values else cursor.execute(query)
        out.sent.append(cursor.fetchone()[0])
tell(spans)
"""
_AIO = """
async def main():
    connection = await connect()
    async with connection.cursor() as cursor:
        for query, values in QUERIES:
            await cursor.execute(query, values)
            out.sent.append((await cursor.fetchone())[0])
    connection.close()

with collect() as spans:
    asyncio.run(main())
tell(spans)
"""
_ASYNC_PSYCOPG = """
async def main():
    async with await psycopg.AsyncConnection.connect(sys.argv[1], autocommit=True) as connection:
        async with connection.cursor() as cursor:
            for query, values in QUERIES:
                await cursor.execute(query, values)
                out.sent.append((await cursor.fetchone())[0])

with collect() as spans:
    asyncio.run(main())
tell(spans)
"""

_MARIADB = "dict(host=sys.argv[1], port=int(sys.argv[2]), user=sys.argv[3], database=sys.argv[4])"
_PSYCOPG2 = """
def connect():  # what pg_stat_activity says stays the same in a transaction
    connection = psycopg2.connect(sys.argv[1])
    connection.autocommit = True
    return connection
"""
DRIVERS = {
    "psycopg": ("import psycopg\nconnect = lambda: psycopg.connect(sys.argv[1], autocommit=True)", _DBAPI),
    "psycopg-async": ("import psycopg", _ASYNC_PSYCOPG),
    "psycopg2": (f"import psycopg2\n{_PSYCOPG2}", _DBAPI),
    "pymysql": (f"import pymysql\nconnect = lambda: pymysql.connect(**{_MARIADB})", _DBAPI),
    "mysqlclient": (f"import MySQLdb\nconnect = lambda: MySQLdb.connect(**{_MARIADB})", _DBAPI),
    "mysql-connector": (f"import mysql.connector\nconnect = lambda: mysql.connector.connect(**{_MARIADB})", _DBAPI),
    "aiomysql": (
        f"import aiomysql\nconnect = lambda: aiomysql.connect(**{_MARIADB.replace('database=', 'db=')})",
        _AIO,
    ),
    "asyncmy": (f"import asyncmy\nconnect = lambda: asyncmy.connect(**{_MARIADB})", _AIO),
}


def driven(driver, request, queries, **environ):
    """What a program says that sends the queries by this driver."""
    start, program = DRIVERS[driver]
    if driver.startswith("psycopg"):
        arguments = [request.getfixturevalue("postgres").url]
    else:
        mariadb = request.getfixturevalue("mariadb")
        arguments = [mariadb.host, mariadb.port, mariadb.user, mariadb.name]
    return run(f"{start}\nQUERIES = {queries!r}\n{program}", *arguments, **environ)


def own_query(driver):
    return POSTGRES if driver.startswith("psycopg") else MARIADB


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_server_gets_the_trace_in_a_comment_and_nobody_else(request, driver):
    query = own_query(driver)
    told = driven(driver, request, [(query, None), (f"{query} AND %s = 1", (1,))], REMORA_SQLCOMMENTER="true")
    first, second = told["spans"]
    assert told["sent"][0] == f"{query} {traceparent(first)}"
    assert told["sent"][1].endswith(f" {traceparent(second)}")
    assert first["attributes"]["db.query.text"] in (query, query.replace("1", "?"))
    assert "traceparent" not in json.dumps([told["spans"], told["metrics"]])


@pytest.mark.parametrize("driver", DRIVERS)
def test_without_a_word_statements_are_sent_as_they_are(request, driver):
    query = own_query(driver)
    told = driven(driver, request, [(query, None)])
    assert told["sent"] == [query]
    assert len(told["spans"]) == 1
    assert "db.response.returned_rows" not in told["spans"][0]["attributes"]


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_statement_with_a_comment_at_its_end_stays_as_it_is(request, driver):
    query = f"{own_query(driver)} /* mine */"
    assert driven(driver, request, [(query, None)], REMORA_SQLCOMMENTER="true")["sent"] == [query]


@pytest.mark.parametrize("driver", DRIVERS)
def test_no_comment_goes_where_the_trace_must_not_travel(request, driver):
    query = own_query(driver)
    told = driven(driver, request, [(query, None)], REMORA_SQLCOMMENTER="true", REMORA_PROPAGATE_TO="example.com")
    assert told["sent"] == [query]


@pytest.mark.parametrize("driver", DRIVERS)
def test_rows_that_came_back_are_counted_where_they_are_asked_for(request, driver):
    asked = {"REMORA_OPTIONAL_ATTRIBUTES": "db.response.*"}
    told = driven(driver, request, [("SELECT 'a' UNION SELECT 'b' UNION SELECT 'c'", None)], **asked)
    (span,) = told["spans"]
    # Of a cursor that is not buffered, mysql-connector knows it only after the last row.
    expected = None if driver.startswith("mysql-connector") else 3
    assert span["attributes"].get("db.response.returned_rows") == expected
    assert "returned_rows" not in json.dumps(told["metrics"])


def test_what_returns_nothing_has_no_returned_rows(postgres):
    told = run(
        """
        import psycopg
        with collect() as spans, psycopg.connect(sys.argv[1], autocommit=True) as connection:
            connection.execute("CREATE TABLE goods (id INTEGER)")
            connection.execute("INSERT INTO goods VALUES (1), (2)")
            connection.execute("DELETE FROM goods WHERE id = 1 RETURNING id")
            connection.cursor().executemany("INSERT INTO goods VALUES (%s)", [(3,), (4,)])
        tell(spans)
        """,
        postgres.url,
        REMORA_OPTIONAL_ATTRIBUTES="db.response.returned_rows",
    )
    counts = [span["attributes"].get("db.response.returned_rows") for span in told["spans"]]
    assert counts == [None, None, 1, None]


def test_a_buffered_cursor_of_mysql_connector_knows_its_rows(mariadb):
    told = run(
        f"""
        import mysql.connector
        with collect() as spans:
            with closing(mysql.connector.connect(**{_MARIADB})) as connection:
                connection.cursor(buffered=True).execute("SELECT 1 UNION SELECT 2")
        tell(spans)
        """,
        *(mariadb.host, mariadb.port, mariadb.user, mariadb.name),
        REMORA_OPTIONAL_ATTRIBUTES="db.response.returned_rows",
    )
    assert [span["attributes"]["db.response.returned_rows"] for span in told["spans"]] == [2]


def test_psycopg_leaves_alone_what_is_prepared_or_on_the_server_and_comments_composed_statements(postgres):
    told = run(
        f"""
        import psycopg
        from psycopg import sql
        QUERY = {POSTGRES!r}
        with collect() as spans, psycopg.connect(sys.argv[1], autocommit=True) as connection:
            out.sent.append(connection.execute(QUERY, prepare=True).fetchone()[0])
            with connection.cursor("named", withhold=True) as cursor:
                cursor.execute(QUERY)
                out.sent.append(cursor.fetchone()[0])
            composed = sql.SQL(QUERY) + sql.SQL(" AND usename = {{}}").format(sql.Literal(connection.info.user))
            out.sent.append(connection.execute(composed).fetchone()[0])
            out.sent.append(connection.execute(QUERY.encode() + b" ; ").fetchone()[0])
            out.sent.append(next(connection.cursor().stream(QUERY + " -- mine"))[0])
        tell(spans)
        """,
        postgres.url,
        REMORA_SQLCOMMENTER="true",
    )
    prepared, on_the_server, composed, raw, commented = told["sent"]
    spans = told["spans"]
    assert prepared == POSTGRES
    assert "traceparent" not in on_the_server
    assert composed.endswith(f"'postgres' {traceparent(spans[2])}")
    assert raw == f"{POSTGRES} {traceparent(spans[3])};"
    assert commented == f"{POSTGRES} -- mine"
    assert "traceparent" not in json.dumps(spans)


def test_psycopg2_leaves_alone_cursors_on_the_server_and_comments_composed_statements(postgres):
    told = run(
        f"""
        import psycopg2
        from psycopg2 import sql
        QUERY = {POSTGRES!r}
        with collect() as spans, closing(psycopg2.connect(sys.argv[1])) as connection:
            with connection.cursor("named") as cursor:
                cursor.execute(QUERY)
                out.sent.append(cursor.fetchone()[0])
            connection.rollback()
            with connection.cursor() as cursor:
                cursor.execute(sql.SQL(QUERY) + sql.SQL(" AND usename = {{}}").format(sql.Literal("postgres")))
                out.sent.append(cursor.fetchone()[0])
        tell(spans)
        """,
        postgres.url,
        REMORA_SQLCOMMENTER="true",
    )
    assert "traceparent" not in told["sent"][0]
    assert told["sent"][1].endswith(f"'postgres' {traceparent(told['spans'][1])}")


def test_asyncpg_keeps_its_statements_and_comments_what_it_does_not_prepare(postgres):
    told = run(
        f"""
        import asyncpg
        QUERY = {POSTGRES!r}

        async def main():
            for size in (100, 0):
                connection = await asyncpg.connect(sys.argv[1], statement_cache_size=size)
                out.sent.append(await connection.fetchval(QUERY))
                await connection.execute(f"CREATE TEMPORARY TABLE log AS {{QUERY}}")
                out.sent.append(await connection.fetchval("SELECT query FROM log"))
                await connection.fetch("SELECT generate_series(1, 4)")
                await connection.fetchrow("SELECT 1 WHERE false")
                await connection.close()

        with collect() as spans:
            asyncio.run(main())
        tell(spans)
        """,
        postgres.url,
        REMORA_SQLCOMMENTER="true",
        REMORA_OPTIONAL_ATTRIBUTES="db.response.returned_rows",
    )
    kept, script, not_kept, other_script = told["sent"]
    spans = told["spans"]
    assert kept == POSTGRES
    assert script.endswith(traceparent(spans[1]))
    assert not_kept == f"{POSTGRES} {traceparent(spans[5])}"
    assert other_script.endswith(traceparent(spans[6]))
    assert [span["attributes"].get("db.response.returned_rows") for span in spans[3:5]] == [4, 0]


def test_a_batch_of_mysql_is_still_one_statement_and_takes_the_batchs_span_along(mariadb):
    told = run(
        f"""
        import pymysql
        with collect() as spans, closing(pymysql.connect(**{_MARIADB}, autocommit=True)) as connection:
            cursor = connection.cursor()
            cursor.execute("CREATE TABLE goods (id INTEGER, query TEXT)")
            noted = "SELECT info FROM information_schema.processlist WHERE id = connection_id()"
            cursor.execute(f"CREATE TRIGGER noted BEFORE INSERT ON goods FOR EACH ROW SET NEW.query = ({{noted}})")
            cursor.executemany("INSERT INTO goods (id) VALUES (%s)", [(1,), (2,)])
            cursor.execute("SELECT DISTINCT query FROM goods")
            out.sent += [row[0] for row in cursor.fetchall()]
        tell(spans)
        """,
        *(mariadb.host, mariadb.port, mariadb.user, mariadb.name),
        REMORA_SQLCOMMENTER="true",
    )
    (batch,) = told["sent"]
    assert batch == f"INSERT INTO goods (id) VALUES (1),(2) {traceparent(told['spans'][2])}"
    assert len(told["spans"]) == 4


def test_a_percent_sign_in_the_tracestate_reaches_the_server_as_such(postgres):
    told = run(
        f"""
        import psycopg2
        from opentelemetry import context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
        carrier = {{"traceparent": f"00-{"ab" * 16}-{"cd" * 8}-01", "tracestate": "congo=t61"}}
        with collect() as spans, closing(psycopg2.connect(sys.argv[1])) as connection:
            context.attach(TraceContextTextMapPropagator().extract(carrier))
            connection.autocommit = True
            cursor = connection.cursor()
            for query, values in (({POSTGRES!r}, None), ({POSTGRES!r} + " AND %s = 1", (1,))):
                cursor.execute(query, values)
                out.sent.append(cursor.fetchone()[0])
        tell(spans)
        """,
        postgres.url,
        REMORA_SQLCOMMENTER="true",
    )
    for sent, span in zip(told["sent"], told["spans"], strict=True):
        assert span["trace"] == "ab" * 16
        assert sent.endswith(f"{traceparent(span, '01')[:-2]},tracestate='congo%3Dt61'*/")


@pytest.mark.parametrize(
    ("pairs", "text"),
    [
        ({}, ""),
        ({"b": "2", "a": "1"}, "/*a='1',b='2'*/"),
        ({"route": "/polls 1000"}, "/*route='%2Fpolls%201000'*/"),
        ({"name": "DROP TABLE 'x'*/"}, "/*name='DROP%20TABLE%20%27x%27%2A%2F'*/"),
        ({"key=": "grün"}, "/*key%3D='gr%C3%BCn'*/"),
    ],
)
def test_comments_are_written_as_the_specification_has_it(pairs, text):
    assert sql_comment.comment(pairs) == text


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT 1", "SELECT 1 /*c*/"),
        ("SELECT 1;\n", "SELECT 1 /*c*/;"),
        ("SELECT /*+ hint */ 1", "SELECT /*+ hint */ 1 /*c*/"),
        ("SELECT 1 /* mine */ ;", None),
        ("SELECT 1 -- mine", None),
        ("SELECT 1 # mine", None),
        ("-- mine\nSELECT 1", "-- mine\nSELECT 1 /*c*/"),
        ("  ", None),
        (b"SELECT 1", b"SELECT 1 /*c*/"),
        (b"SELECT 1 /* mine */", None),
    ],
)
def test_a_comment_goes_to_the_end_of_a_statement_that_has_none_there(statement, expected):
    made = sql_comment.commented(statement, "/*c*/")
    assert made is statement if expected is None else made == expected
