"""Servers that drivers' tests talk to: of one run's own, since such tests empty databases and disconnect others."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.cache_servers import own_redis
from support.servers import fresh_database, postgres_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.servers import Database

_SCHEMAS = ("test_schema", "test_schema_2")
_EXTENSIONS = ("citext", "hstore")


@dataclass(frozen=True)
class Served:
    """How a run's tests are told of its servers: words for pytest, and variables."""

    options: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)


@contextmanager
def nothing() -> Iterator[Served]:
    """For tests that need no server but their own."""
    yield Served()


@contextmanager
def redis() -> Iterator[Served]:
    """A Redis of one's own: redis-py's tests flush it and change its configuration."""
    with own_redis() as port:
        yield Served(("--redis-url", f"redis://127.0.0.1:{port}/0"))


@contextmanager
def postgresql_of_psycopg2() -> Iterator[Served]:
    """A database of one's own, named as psycopg2's tests want it."""
    with postgres_server() as server, fresh_database(server) as database:
        _extend(database)
        told = {"": database.name, "_HOST": database.host, "_PORT": str(database.port), "_USER": database.user}
        env = {f"PSYCOPG2_TESTDB{name}": value for name, value in told.items()}
        # Nothing that only waits; and its tests' own programs must not say that there is no collector.
        yield Served(env={**env, "PSYCOPG2_TEST_FAST": "1", "OTEL_LOG_LEVEL": "error"})


@contextmanager
def sqlite_and_postgresql_of_sqlalchemy() -> Iterator[Served]:
    """SQLAlchemy's tests run once for each address; in PostgreSQL they want two schemas beside the default one."""
    with postgres_server() as server, fresh_database(server) as database:
        _extend(database, *(f"CREATE SCHEMA {schema}" for schema in _SCHEMAS))
        url = database.url.replace("postgresql:", "postgresql+psycopg:")
        yield Served(("--dburi", "sqlite:///:memory:", "--dburi", url))


def _extend(database: Database, *statements: str) -> None:
    """Adds what the tests use where it is there, which without PostgreSQL's own additions it is not."""
    import psycopg

    with psycopg.connect(database.url, autocommit=True) as connection:
        found = connection.execute("SELECT name FROM pg_available_extensions WHERE name = ANY(%s)", [list(_EXTENSIONS)])
        for (extension,) in found.fetchall():
            connection.execute(f"CREATE EXTENSION {extension}".encode())
        for statement in statements:
            connection.execute(statement.encode())
