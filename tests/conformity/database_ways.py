"""How each database's client is asked, and what its spans have to say then; by servers of this machine and stand-ins.

A way is a context that yields situations: (words, the call, what the span has besides what all have).
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from support.cache_servers import memcached_server, redis_server
from support.mariadb import fresh_mariadb_database, mariadb_server
from support.servers import fresh_database, postgres_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Told:
    """Of one span: ``attributes`` are all that apply, with their values; no other of the conventions may be there."""

    situation: str
    call: Callable[[], Any]
    name: str
    attributes: dict[str, Any]
    status: str = "UNSET"


@dataclass(frozen=True)
class Way:
    """``open`` yields the situations; ``untold`` holds what the client has no way to know, with the reason."""

    library: str
    system: str
    open: Callable[[], Any]
    untold: dict[str, str] = field(default_factory=dict, hash=False)
    module: str = ""  # where it is called otherwise

    @property
    def row(self) -> str:
        """Its row in the manifest."""
        return {"PyMySQL": "pymysql", "opensearch": "opensearch-py", "aiosqlite": "sqlite3"}.get(
            self.library, self.library
        )


CREATE = "CREATE TABLE goods (id INTEGER PRIMARY KEY, name VARCHAR(40))"


def _queries(
    place: dict[str, Any], mark: str, marks: str, code: str, execute: Callable[..., Any], many: Callable[..., Any]
) -> Iterator[Told]:
    """What can be asked by SQL; ``execute(query, values)``, ``many(query, rows)``."""

    def failing(query: str) -> Callable[[], None]:
        def call() -> None:
            try:
                execute(query, None)
            except Exception:
                return
            raise AssertionError("the database took a query that is wrong")

        return call

    def told(query: str, summary: str, **more: Any) -> dict[str, Any]:
        return {**place, "db.query.text": query, "db.query.summary": summary, **more}

    shown = "SELECT name FROM goods WHERE id = ?"
    literal = "SELECT name FROM goods WHERE id = 4711"
    yield Told("a literal", lambda: execute(literal, None), "SELECT goods", told(shown, "SELECT goods"))
    query = f"SELECT name FROM goods WHERE id = {mark}"
    yield Told("a parameter", lambda: execute(query, (7,)), "SELECT goods", told(query, "SELECT goods"))
    insert = f"INSERT INTO goods (id, name) VALUES ({marks})"
    rows = [(1, "a"), (2, "b")]
    name = "BATCH INSERT goods"
    batch = told(insert, name, **{"db.operation.batch.size": 2})
    yield Told("a batch", lambda: many(insert, rows), name, batch)
    error = {"db.response.status_code": code, "error.type": code}
    wrong = "SELECT name FROM no_such_table"
    summary = "SELECT no_such_table"
    yield Told("a failure", failing(wrong), summary, told(wrong, summary, **error), "ERROR")


def _sql(
    connect: Callable[..., Any],
    place: dict[str, Any],
    code: str,
    mark: str = "%s",
    marks: str = "",
    procedure: str = "",
) -> Iterator[Told]:
    """By the methods of PEP 249."""
    with closing(connect()) as connection:

        def execute(query: str, values: Any) -> None:
            with closing(connection.cursor()) as cursor:
                cursor.execute(query, values) if values else cursor.execute(query)
                if cursor.description:
                    cursor.fetchall()

        def many(query: str, rows: Any) -> None:
            with closing(connection.cursor()) as cursor:
                cursor.executemany(query, rows)

        def call() -> None:
            with closing(connection.cursor()) as cursor:
                cursor.callproc("doubled", (21,))

        execute(CREATE, None)
        yield from _queries(place, mark, marks or f"{mark}, {mark}", code, execute, many)
        if procedure:
            execute(procedure, None)
            named = {"db.operation.name": "CALL", "db.stored_procedure.name": "doubled"}
            summary = {"db.query.summary": "CALL doubled"}
            yield Told("a stored procedure", call, "CALL doubled", {**place, **named, **summary})


def _awaited(
    connect: Callable[[], Any], place: dict[str, Any], code: str, close: str, mark: str = "%s", procedure: str = ""
) -> Iterator[Told]:
    """By the same methods as coroutine functions."""
    loop = asyncio.new_event_loop()
    with closing(loop):
        connection = loop.run_until_complete(connect())

        async def ask(method: str, *arguments: Any) -> None:
            made = connection.cursor()
            cursor = await made if hasattr(made, "__await__") else made
            await getattr(cursor, method)(*arguments)
            if cursor.description:
                await cursor.fetchall()
            await cursor.close()

        def execute(query: str, values: Any) -> None:
            loop.run_until_complete(ask("execute", query, *([values] if values else [])))

        execute(CREATE, None)
        many = lambda query, rows: loop.run_until_complete(ask("executemany", query, rows))  # noqa: E731
        yield from _queries(place, mark, f"{mark}, {mark}", code, execute, many)
        if procedure:
            execute(procedure, None)
            told = {"db.operation.name": "CALL", "db.stored_procedure.name": "doubled"}
            told["db.query.summary"] = "CALL doubled"
            call = lambda: loop.run_until_complete(ask("callproc", "doubled", (21,)))  # noqa: E731
            yield Told("a stored procedure", call, "CALL doubled", {**place, **told})
        closed = getattr(connection, close)()
        if hasattr(closed, "__await__"):
            loop.run_until_complete(closed)


PROCEDURE = "CREATE PROCEDURE doubled (IN number INT) SELECT number * 2"
FUNCTION = "CREATE FUNCTION doubled (number INT) RETURNS INT LANGUAGE SQL AS 'SELECT number * 2'"


def _postgresql(connect: Callable[[Any], Any], **options: Any) -> Callable[[], Any]:
    def opened() -> Iterator[Told]:
        with ExitStack() as stack:
            server = stack.enter_context(fresh_database(stack.enter_context(postgres_server())))
            place = _placed(server, 5432)
            yield from _sql(lambda: connect(server), place, "42P01", **options)

    return opened


def _placed(server: Any, usual: int) -> dict[str, Any]:
    place = {"db.namespace": server.name, "server.address": server.host}
    if server.port != usual:
        place["server.port"] = server.port
    return place


def _mariadb(connect: Callable[[Any], Any], close: str = "") -> Callable[[], Any]:
    def opened() -> Iterator[Told]:
        with ExitStack() as stack:
            server = stack.enter_context(fresh_mariadb_database(stack.enter_context(mariadb_server())))
            place = _placed(server, 3306)
            if close:
                yield from _awaited(lambda: connect(server), place, "1146", close, procedure=PROCEDURE)
            else:
                yield from _sql(lambda: connect(server), place, "1146", procedure=PROCEDURE)

    return opened


def _sqlite3() -> Iterator[Told]:
    import sqlite3

    yield from _sql(lambda: sqlite3.connect(":memory:"), {"db.namespace": ":memory:"}, "SQLITE_ERROR", "?")


def _aiosqlite() -> Iterator[Told]:
    import aiosqlite

    place = {"db.namespace": ":memory:"}
    yield from _awaited(lambda: aiosqlite.connect(":memory:"), place, "SQLITE_ERROR", "close", "?")


def _psycopg(server: Any) -> Any:
    import psycopg

    return psycopg.connect(server.url, autocommit=True)


def _psycopg2(server: Any) -> Any:
    import psycopg2

    connection = psycopg2.connect(server.url)
    connection.autocommit = True
    return connection


def _pg8000(server: Any) -> Any:
    import pg8000.dbapi

    connection = pg8000.dbapi.connect(**server.keywords("database"))
    connection.autocommit = True
    return connection


def _asyncpg() -> Iterator[Told]:
    import asyncpg

    loop = asyncio.new_event_loop()
    with ExitStack() as stack:
        stack.enter_context(closing(loop))
        server = stack.enter_context(fresh_database(stack.enter_context(postgres_server())))
        connection = loop.run_until_complete(asyncpg.connect(**server.keywords("database"), ssl=False))
        stack.callback(lambda: loop.run_until_complete(connection.close()))

        def execute(query: str, values: Any) -> None:
            loop.run_until_complete(connection.fetch(query, *(values or ())))

        def many(query: str, rows: Any) -> None:
            loop.run_until_complete(connection.executemany(query, rows))

        execute(CREATE, None)
        yield from _queries(_placed(server, 5432), "$1", "$1, $2", "42P01", execute, many)


def _pymysql(server: Any) -> Any:
    import pymysql

    return pymysql.connect(**server.keywords("database"), autocommit=True)


def _mysqlclient(server: Any) -> Any:
    import MySQLdb

    return MySQLdb.connect(**server.keywords("database"), autocommit=True)


def _mysql_connector(server: Any) -> Any:
    import mysql.connector

    options = {"password": "", "ssl_disabled": True, "autocommit": True, "use_pure": True, "consume_results": True}
    return mysql.connector.connect(**server.keywords("database"), **options)


def _aiomysql(server: Any) -> Any:
    import aiomysql

    return aiomysql.connect(**server.keywords("db"), autocommit=True)


def _asyncmy(server: Any) -> Any:
    import asyncmy

    return asyncmy.connect(**server.keywords("db"), autocommit=True)


def _commands(name: str, kind: str) -> Callable[[], Any]:
    """redis-py and its fork."""

    def opened() -> Iterator[Told]:
        with redis_server() as port, getattr(import_module(name), kind)("127.0.0.1", port, db=9) as client:
            key = "remora:conformity"
            client.set(key, "lamp", ex=60)
            where = f"127.0.0.1:{port}"
            place = {"db.namespace": "9", "server.address": "127.0.0.1"}
            place |= {"network.peer.address": "127.0.0.1", "network.peer.port": port}
            if port != 6379:
                place["server.port"] = port

            def told(operation: str, text: str, **more: Any) -> dict[str, Any]:
                return {**place, "db.operation.name": operation, "db.query.text": text, **more}

            yield Told("a command", lambda: client.get(key), f"GET {where}", told("GET", "GET ?"))

            def piped() -> None:
                client.pipeline(transaction=False).get(key).ttl(key).execute()

            batch = told("PIPELINE", "GET ?\nTTL ?", **{"db.operation.batch.size": 2})
            yield Told("a batch", piped, f"PIPELINE {where}", batch)
            error = {"db.response.status_code": "WRONGTYPE", "error.type": "WRONGTYPE"}
            failed = told("LPUSH", "LPUSH ? ?", **error)
            yield Told("a failure", lambda: _refused(client.lpush, key, 1), f"LPUSH {where}", failed, "ERROR")
            digest = client.script_load("return 1")
            named = told("EVALSHA", "EVALSHA ? ?", **{"db.stored_procedure.name": digest})
            yield Told("a script", lambda: client.evalsha(digest, 0), f"EVALSHA {digest}", named)

    return opened


def _refused(function: Callable[..., Any], *arguments: Any) -> None:
    try:
        function(*arguments)
    except Exception:
        return
    raise AssertionError("the server took what is wrong")


def _memcached(connect: Callable[[int], Any], method: str = "set_many") -> Callable[[], Any]:
    def opened() -> Iterator[Told]:
        with memcached_server() as port, connect(port) as client:
            where = f"127.0.0.1:{port}"
            place = {"server.address": "127.0.0.1", "network.peer.address": "127.0.0.1", "network.peer.port": port}
            if port != 11211:
                place["server.port"] = port
            yield Told("a command", lambda: client("get", "a"), f"get {where}", {**place, "db.operation.name": "get"})
            if method:
                batch = {"db.operation.name": "BATCH set", "db.operation.batch.size": 2}
                values = {"remora-a": "1", "remora-b": "2"}
                yield Told("a batch", lambda: client(method, values), f"BATCH set {where}", {**place, **batch})

    return opened


@contextmanager
def _pymemcache(port: int) -> Iterator[Any]:
    import pymemcache

    with closing(pymemcache.Client(("127.0.0.1", port))) as client:
        client.get("a")
        yield lambda method, *arguments: getattr(client, method)(*arguments)


@contextmanager
def _pylibmc(port: int) -> Iterator[Any]:
    import pylibmc

    client = pylibmc.Client([f"127.0.0.1:{port}"])
    yield lambda method, *arguments: getattr(client, method)(*arguments)


@contextmanager
def _aiomcache(port: int) -> Iterator[Any]:
    import aiomcache

    async def ask(method: str, *arguments: Any) -> None:
        client = aiomcache.Client("127.0.0.1", port)
        await getattr(client, method)(*(each.encode() for each in arguments))
        await client.close()

    yield lambda method, *arguments: asyncio.run(ask(method, *arguments))


def _pymongo() -> Iterator[Told]:
    import pymongo

    from plugins.database.fake_mongodb import fake_mongodb

    with fake_mongodb() as port, pymongo.MongoClient("127.0.0.1", port, retryWrites=False) as client:
        goods = client.shop.goods
        place = {"db.namespace": "shop", "db.collection.name": "goods"}
        place |= {"server.address": "127.0.0.1", "server.port": port}
        found = {**place, "db.operation.name": "insert"}
        yield Told("a command", lambda: goods.insert_one({"_id": 4711}), "insert goods", found)
        batch = {**place, "db.operation.name": "BATCH insert", "db.operation.batch.size": 2}
        yield Told("a batch", lambda: goods.insert_many([{"_id": 1}, {"_id": 2}]), "BATCH insert goods", batch)


def _search_engine(connect: Callable[[str], Any], **more: Any) -> Callable[[], Any]:
    def opened() -> Iterator[Told]:
        from plugins.database.fake_search_engine import fake_search_engine

        with fake_search_engine() as port, closing(connect(f"http://127.0.0.1:{port}")) as client:
            place = {"db.collection.name": "goods", "server.address": "127.0.0.1", "server.port": port, **more}
            place |= {"url.full": f"http://127.0.0.1:{port}/goods/_search", "http.request.method": "POST"}
            answered = {"db.response.status_code": "200"} if more else {}
            query = {"query": {"match": {"name": "hunter2"}}}
            text = {"db.query.text": '{"query":{"match":{"name":"?"}}}', "db.operation.name": "search"}
            searched = {**place, **text, **answered}
            yield Told("a search", lambda: client.search(index="goods", body=query), "search goods", searched)
            wrong = {"query": {"nonsense": "hunter2"}}
            error = {"db.response.status_code": "400", "error.type": "400"}
            told = {**place, "db.operation.name": "search", "db.query.text": '{"query":{"nonsense":"?"}}', **error}
            failing = lambda: _refused(lambda: client.search(index="goods", body=wrong))  # noqa: E731
            yield Told("a failure", failing, "search goods", told, "ERROR")

    return opened


def _elasticsearch(url: str) -> Any:
    import elasticsearch

    return elasticsearch.Elasticsearch([url])


def _opensearch(url: str) -> Any:
    import opensearchpy

    return opensearchpy.OpenSearch([url])


_PEER = ("network.peer.address", "network.peer.port")
_NO_SOCKET = dict.fromkeys(_PEER, "the client tells neither its socket nor whom it leads to")
_NODE = {"db.namespace": "cluster-1", "elasticsearch.node.name": "instance-1"}

# By system, what the conventions want a sampler to see and nobody knows before the answer.
LATER = {"elasticsearch": {"db.namespace": "the cluster's name comes with the answer"}}

WAYS = (
    Way("sqlite3", "sqlite", _sqlite3),
    Way("aiosqlite", "sqlite", _aiosqlite),
    Way("psycopg", "postgresql", _postgresql(_psycopg)),
    Way("psycopg2", "postgresql", _postgresql(_psycopg2, procedure=FUNCTION)),
    Way("pg8000", "postgresql", _postgresql(_pg8000)),
    Way("asyncpg", "postgresql", _asyncpg),
    Way("PyMySQL", "mariadb", _mariadb(_pymysql), module="pymysql"),
    Way("mysqlclient", "mariadb", _mariadb(_mysqlclient), module="MySQLdb"),
    Way("mysql-connector", "mariadb", _mariadb(_mysql_connector), module="mysql.connector"),
    Way("aiomysql", "mariadb", _mariadb(_aiomysql, "ensure_closed")),
    Way("asyncmy", "mariadb", _mariadb(_asyncmy, "ensure_closed")),
    Way("redis", "redis", _commands("redis", "Redis")),
    Way("valkey", "valkey", _commands("valkey", "Valkey")),
    Way("pymemcache", "memcached", _memcached(_pymemcache)),
    Way("pylibmc", "memcached", _memcached(_pylibmc, "set_multi"), _NO_SOCKET),
    Way("aiomcache", "memcached", _memcached(_aiomcache, ""), _NO_SOCKET),
    Way("pymongo", "mongodb", _pymongo),
    Way("elasticsearch", "elasticsearch", _search_engine(_elasticsearch, **_NODE)),
    Way("opensearch", "opensearch", _search_engine(_opensearch), module="opensearchpy"),
)


def absent(way: Way) -> str:
    """Empty, or why the client cannot be asked here."""
    try:
        import_module(way.module or way.library)
    except ImportError as error:
        return f"{way.library} is not installed: {error}"
    return ""
