"""Run in a process of its own: sends secrets through a database's client: ``python -m plugins.database.canary redis``.

They are literals, values passed apart, keys, documents, passwords of connections, and what errors quote of all that.
Ends with exit code 77 and the reason on stdout where the client or its server is not there.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import traceback
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

import _pytest.outcomes
from opentelemetry import trace

from plugins.http.canary import MISSING, secret
from support.cache_servers import memcached_server, redis_server
from support.mariadb import fresh_mariadb_database, mariadb_server
from support.servers import free_port, fresh_database, postgres_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CREATE = "CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(90) UNIQUE, number INTEGER)"
loop = asyncio.new_event_loop()


def now(result: Any) -> Any:
    """What a client of either kind returned."""
    return loop.run_until_complete(_waited(result)) if inspect.isawaitable(result) else result


async def _waited(result: Any) -> Any:
    return await result


def attempt(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Calls it within a span of the program's, which is not told of what goes wrong: that is for us to tell."""
    around = trace.get_tracer("program").start_as_current_span
    try:
        with around("attempt", record_exception=False, set_status_on_exception=False):
            return now(function(*arguments, **named))
    except Exception:
        traceback.print_exc(file=sys.stdout)
        return None


def sql(connection: Any, mark: str) -> None:
    """By cursors, whose methods may be coroutine functions."""

    def ask(method: str, *arguments: Any) -> None:
        cursor = now(connection.cursor())
        try:
            attempt(getattr(cursor, method), *arguments)
            if cursor.description:
                attempt(cursor.fetchall)
        finally:
            now(cursor.close())

    ask("execute", CREATE)
    queries(ask, mark, f"{mark}, {mark}, {mark}", "execute", "executemany", tuple)


def queries(
    ask: Callable[..., None],
    mark: str,
    marks: str,
    execute: str,
    executemany: str,
    packed: Callable[[Any], Any],
) -> None:
    """Literals, values and errors: of a duplicate, a type, a syntax, a name; ``packed`` makes arguments of values."""
    values = f"'{secret('literal')}', 4711"
    for _ in range(2):  # the second is a duplicate
        ask(execute, f"INSERT INTO users VALUES (1, {values})")
        ask(execute, f"INSERT INTO users VALUES ({marks})", packed((2, secret("value"), 1)))
        ask(executemany, f"INSERT INTO users VALUES ({marks})", [(3, secret("row"), 1), (4, secret("other row"), 2)])
    ask(execute, f"SELECT id FROM users WHERE name = '{secret('where')}' -- {secret('comment')}")
    ask(execute, f"SELECT id FROM users WHERE name = {mark}", packed((secret("bound"),)))
    ask(execute, f"SELECT id FROM users WHERE name = '{secret('unfinished')}")
    ask(execute, f"SELECT id FROM users WHERE no_column = '{secret('no column')}'")
    ask(execute, f"SELECT id FROM users WHERE number = '{secret('no number')}'")
    ask(execute, f"INSERT INTO users (id, number) VALUES (9, {mark})", packed((secret("no value"),)))
    ask(execute, f"nonsense '{secret('nonsense')}'")


@contextmanager
def database(family: str) -> Iterator[Any]:
    with ExitStack() as stack:
        if family == "postgresql":
            yield stack.enter_context(fresh_database(stack.enter_context(postgres_server())))
        else:
            yield stack.enter_context(fresh_mariadb_database(stack.enter_context(mariadb_server())))


def _sqlite3() -> None:
    import sqlite3

    with closing(sqlite3.connect(":memory:")) as connection:
        sql(connection, "?")
        attempt(connection.executescript, f"SELECT '{secret('script')}'; nonsense '{secret('wrong script')}'")


def _aiosqlite() -> None:
    import aiosqlite

    connection = now(aiosqlite.connect(":memory:"))
    sql(connection, "?")
    now(connection.close())


def _by_url(connect: Callable[..., Any], server: Any) -> Any:
    """Trusted as it is, PostgreSQL takes any password; nobody listens at the other port."""
    at = f"{server.host}:%d/{server.name}"
    wrong = f"postgresql://{server.user}:{secret('password of nobody')}@{at % free_port()}"
    attempt(connect, wrong)
    return now(connect(f"postgresql://{server.user}:{secret('password')}@{at % server.port}"))


def _psycopg() -> None:
    import psycopg

    with database("postgresql") as server, closing(_by_url(psycopg.connect, server)) as connection:
        connection.autocommit = True
        sql(connection, "%s")


def _psycopg2() -> None:
    import psycopg2

    with database("postgresql") as server, closing(_by_url(psycopg2.connect, server)) as connection:
        connection.autocommit = True
        sql(connection, "%s")
        with connection.cursor() as cursor:
            attempt(cursor.callproc, "no_such_function", (secret("argument"),))


def _asyncpg() -> None:
    import asyncpg

    with database("postgresql") as server:
        connection = _by_url(lambda url: asyncpg.connect(url, ssl=False), server)

        def ask(method: str, query: str, *arguments: Any) -> None:
            values = arguments[0] if arguments and method != "executemany" else arguments
            attempt(getattr(connection, method), query, *values)

        ask("execute", CREATE)
        queries(ask, "$1", "$1, $2, $3", "fetch", "executemany", tuple)
        now(connection.close())


def _pg8000() -> None:
    import pg8000.dbapi

    with database("postgresql") as server:
        keywords = {**server.keywords("database"), "password": secret("password")}
        attempt(pg8000.dbapi.connect, **{**keywords, "port": free_port()})
        with closing(pg8000.dbapi.connect(**keywords)) as connection:
            connection.autocommit = True
            sql(connection, "%s")


def _mysql(connect: Callable[..., Any], name: str = "database", **options: Any) -> None:
    with database("mariadb") as server:
        keywords = {**server.keywords(name), **options}
        attempt(connect, **{**keywords, "password": secret("refused password"), "user": "nobody"})
        connection = now(connect(**keywords, autocommit=True))
        sql(connection, "%s")
        cursor = now(connection.cursor())
        attempt(cursor.callproc, "no_such_procedure", (secret("argument"),))
        now(cursor.close())
        attempt(getattr(connection, "ensure_closed", connection.close))


def _pymysql() -> None:
    import pymysql

    _mysql(pymysql.connect)


def _mysqlclient() -> None:
    import MySQLdb

    _mysql(MySQLdb.connect)


def _mysql_connector() -> None:
    import mysql.connector

    _mysql(mysql.connector.connect, password="", ssl_disabled=True, use_pure=True, consume_results=True)


def _aiomysql() -> None:
    import aiomysql

    _mysql(aiomysql.connect, "db")


def _asyncmy() -> None:
    import asyncmy

    _mysql(asyncmy.connect, "db")


def _commands(module: Any, kind: str) -> None:
    from_url = getattr(module, kind).from_url
    with redis_server() as port:
        attempt(from_url(f"redis://user:{secret('password')}@127.0.0.1:{port}/9").ping)
        attempt(from_url(f"redis://user:{secret('password of nobody')}@127.0.0.1:{free_port()}/9").ping)
        with from_url(f"redis://127.0.0.1:{port}/9") as client:
            key = secret("key")
            attempt(client.set, key, secret("value"), ex=60)
            attempt(client.get, key)
            attempt(client.lpush, key, secret("pushed"))
            attempt(client.execute_command, f"GET {secret('raw')}")
            attempt(client.execute_command, "NOSUCH", secret("unknown"))
            attempt(client.eval, f"return error('{secret('script')}')", 1, key, secret("argument"))
            attempt(client.auth, secret("auth"))
            attempt(client.pipeline(transaction=False).set(key, secret("piped")).lpush(key, secret("wrong")).execute)
            attempt(client.pipeline().get(key).incr(key).execute)


def _redis() -> None:
    import redis

    _commands(redis, "Redis")


def _valkey() -> None:
    import valkey

    _commands(valkey, "Valkey")


def _memcached(client: Any, encoded: bool = False) -> None:
    def ask(method: str, *arguments: str) -> None:
        attempt(getattr(client, method), *(each.encode() if encoded else each for each in arguments))

    ask("set", secret("key"), secret("value"))
    ask("get", secret("key"))
    ask("delete", secret("deleted"))
    ask("set", secret("long key") * 20, secret("value of a long key"))
    ask("get", f"{secret('with a blank')} {secret('behind it')}")


def _pymemcache() -> None:
    import pymemcache

    with memcached_server() as port:
        _memcached(pymemcache.Client(("127.0.0.1", port)))
        _memcached(pymemcache.Client(("127.0.0.1", free_port())))


def _pylibmc() -> None:
    import pylibmc

    with memcached_server() as port:
        _memcached(pylibmc.Client([f"127.0.0.1:{port}"]))
        _memcached(pylibmc.Client([f"127.0.0.1:{free_port()}"]))


def _aiomcache() -> None:
    import aiomcache

    async def main(port: int) -> Any:
        return aiomcache.Client("127.0.0.1", port)

    with memcached_server() as port:
        _memcached(now(main(port)), encoded=True)
        _memcached(now(main(free_port())), encoded=True)


def _pymongo() -> None:
    import pymongo

    from plugins.database.fake_mongodb import fake_mongodb

    with fake_mongodb() as port, pymongo.MongoClient("127.0.0.1", port, retryWrites=False) as client:
        users = client.shop.users
        attempt(users.insert_one, {"_id": secret("id"), "name": secret("name")})
        attempt(users.insert_one, {"_id": "duplicate", "name": secret("duplicate")})
        attempt(users.insert_one, {"_id": object(), "name": secret("no document")})
        attempt(users.insert_many, [{"name": secret("first")}, {"name": secret("second")}])
        attempt(lambda: list(users.find({"name": secret("filter")})))
        attempt(lambda: list(users.aggregate([{"$match": {"name": secret("match")}}])))
        attempt(users.update_one, {"name": secret("old")}, {"$set": {"name": secret("new")}})
        attempt(users.delete_many, {"name": {"$in": [secret("deleted")]}})
        attempt(client.shop.command, {"nonsense": 1, "name": secret("nonsense")})


def _search_engine(connect: Callable[..., Any]) -> None:
    from plugins.database.fake_search_engine import fake_search_engine

    with fake_search_engine() as port:
        for url in (f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}"):
            user = ("user", secret("password"))
            with closing(connect(url, user)) as client:
                attempt(client.index, index="users", id="1", body={"name": secret("document")})
                attempt(client.search, index="users", body={"query": {"match": {"name": secret("match")}}})
                attempt(client.search, index="users", body={"query": {"nonsense": secret("nonsense")}})
                attempt(client.bulk, body=[{"index": {"_index": "users"}}, {"name": secret("bulk")}])


def _elasticsearch() -> None:
    import elasticsearch

    _search_engine(lambda url, user: elasticsearch.Elasticsearch([url], basic_auth=user, max_retries=0))


def _opensearch() -> None:
    import opensearchpy

    _search_engine(lambda url, user: opensearchpy.OpenSearch([url], http_auth=user, max_retries=0))


_ALL = (
    _sqlite3, _aiosqlite, _psycopg, _psycopg2, _asyncpg, _pg8000, _pymysql, _mysqlclient, _mysql_connector, _aiomysql,
    _asyncmy, _redis, _valkey, _pymemcache, _pylibmc, _aiomcache, _pymongo, _elasticsearch, _opensearch,
)  # fmt: skip
CLIENTS = {function.__name__.removeprefix("_"): function for function in _ALL}


def main(client: str) -> int:
    try:
        CLIENTS[client]()
    except (ModuleNotFoundError, _pytest.outcomes.Skipped) as missing:
        print(missing)
        return MISSING
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
