"""Databases: drivers of PEP 249 and their like."""

from __future__ import annotations

from remora.api import Instrumentation, hookimpl

_PATCHES = "remora_plugins.database"


@hookimpl
def instrumentations() -> list[Instrumentation]:
    return [
        Instrumentation(
            "sqlite3",
            supports=(),
            hooks={"sqlite3": f"{_PATCHES}.sqlite3:patch"},
            convention="database",
        ),
        Instrumentation(
            "psycopg",
            supports=("psycopg>=3.1,<4",),
            hooks={
                "psycopg.cursor": f"{_PATCHES}.psycopg:patch_cursor",
                "psycopg.cursor_async": f"{_PATCHES}.psycopg:patch_cursor_async",
                "psycopg.server_cursor": f"{_PATCHES}.psycopg:patch_server_cursor",  # to 3.2
                "psycopg._server_cursor": f"{_PATCHES}.psycopg:patch_server_cursor",  # from 3.3
                "psycopg._server_cursor_async": f"{_PATCHES}.psycopg:patch_server_cursor",
            },
            convention="database",
        ),
        Instrumentation(
            "psycopg2",
            supports=("psycopg2>=2.8,<3", "psycopg2-binary>=2.8,<3"),
            hooks={"psycopg2": f"{_PATCHES}.psycopg2:patch"},
            convention="database",
        ),
        Instrumentation(
            "redis",
            supports=("redis>=4.5,<9",),
            hooks={
                "redis.client": f"{_PATCHES}.redis:patch_client",
                "redis.cluster": f"{_PATCHES}.redis:patch_cluster",
                "redis.connection": f"{_PATCHES}.redis:patch_connection",
                "redis.asyncio.client": f"{_PATCHES}.redis:patch_client",
                "redis.asyncio.cluster": f"{_PATCHES}.redis:patch_cluster",
                "redis.asyncio.connection": f"{_PATCHES}.redis:patch_asyncio_connection",
            },
            convention="database",
        ),
        Instrumentation(
            "valkey",
            supports=("valkey>=6.0,<7",),
            hooks={
                "valkey.client": f"{_PATCHES}.redis:patch_client",
                "valkey.cluster": f"{_PATCHES}.redis:patch_cluster",
                "valkey.connection": f"{_PATCHES}.redis:patch_connection",
                "valkey.asyncio.client": f"{_PATCHES}.redis:patch_client",
                "valkey.asyncio.cluster": f"{_PATCHES}.redis:patch_cluster",
                "valkey.asyncio.connection": f"{_PATCHES}.redis:patch_asyncio_connection",
            },
            convention="database",
        ),
        Instrumentation(
            "asyncpg",
            supports=("asyncpg>=0.27,<1",),
            hooks={
                "asyncpg.connection": f"{_PATCHES}.asyncpg:patch_connection",
                "asyncpg.prepared_stmt": f"{_PATCHES}.asyncpg:patch_prepared",
                "asyncpg.cursor": f"{_PATCHES}.asyncpg:patch_cursor",
                "asyncpg.transaction": f"{_PATCHES}.asyncpg:patch_transaction",
            },
            convention="database",
        ),
        Instrumentation(
            "pg8000",
            supports=("pg8000>=1.29,<2",),
            hooks={
                "pg8000.core": f"{_PATCHES}.pg8000:patch_core",
                "pg8000.dbapi": f"{_PATCHES}.pg8000:patch_cursors",
                "pg8000.legacy": f"{_PATCHES}.pg8000:patch_cursors",
                "pg8000.native": f"{_PATCHES}.pg8000:patch_native",
            },
            convention="database",
        ),
        Instrumentation(
            "pymysql",
            supports=("PyMySQL>=1.0.2,<2",),
            hooks={
                "pymysql.cursors": f"{_PATCHES}.pymysql:patch_cursors",
                "pymysql.connections": f"{_PATCHES}.pymysql:patch_connections",
            },
            convention="database",
        ),
        Instrumentation(
            "mysqlclient",
            supports=("mysqlclient>=2.1,<3",),
            hooks={
                "MySQLdb.cursors": f"{_PATCHES}.mysqlclient:patch_cursors",
                "MySQLdb.connections": f"{_PATCHES}.mysqlclient:patch_connections",
            },
            convention="database",
        ),
        Instrumentation(
            "mysql-connector",
            supports=("mysql-connector-python>=8.0.33,<27",),
            hooks={
                "mysql.connector.cursor": f"{_PATCHES}.mysql_connector:patch_cursors",
                "mysql.connector.cursor_cext": f"{_PATCHES}.mysql_connector:patch_cursors",
                "mysql.connector.connection": f"{_PATCHES}.mysql_connector:patch_connection",
                "mysql.connector.connection_cext": f"{_PATCHES}.mysql_connector:patch_connection",
                "mysql.connector.aio.cursor": f"{_PATCHES}.mysql_connector:patch_cursors",
                "mysql.connector.aio.connection": f"{_PATCHES}.mysql_connector:patch_async_connection",
            },
            convention="database",
        ),
        Instrumentation(
            "aiomysql",
            supports=("aiomysql>=0.1.1,<1",),
            hooks={
                "aiomysql.cursors": f"{_PATCHES}.aiomysql:patch_cursors",
                "aiomysql.connection": f"{_PATCHES}.aiomysql:patch_connections",
            },
            convention="database",
        ),
        Instrumentation(
            "asyncmy",
            supports=("asyncmy>=0.2.9,<1",),
            hooks={"asyncmy.connection": f"{_PATCHES}.asyncmy:patch"},
            convention="database",
        ),
        Instrumentation(
            "aiosqlite",
            supports=("aiosqlite>=0.17,<1",),
            hooks={"aiosqlite.core": f"{_PATCHES}.aiosqlite:patch"},
            convention="context",
        ),
        Instrumentation(
            "duckdb",
            supports=("duckdb>=1.0,<3",),
            hooks={"duckdb": f"{_PATCHES}.duckdb:patch"},
            convention="database",
        ),
        Instrumentation(
            "pyodbc",
            supports=("pyodbc>=5.0,<6",),
            hooks={"pyodbc": f"{_PATCHES}.pyodbc:patch"},
            convention="database",
        ),
        Instrumentation(
            "pymssql",
            supports=("pymssql>=2.2.8,<3",),
            hooks={"pymssql": f"{_PATCHES}.pymssql:patch"},
            convention="database",
        ),
        Instrumentation(
            "oracledb",
            supports=("oracledb>=2.0,<27",),
            hooks={"oracledb.cursor": f"{_PATCHES}.oracledb:patch"},
            convention="database",
        ),
        Instrumentation(
            "trino",
            supports=("trino>=0.321,<1",),
            hooks={"trino.dbapi": f"{_PATCHES}.trino:patch"},
            convention="database",
        ),
        Instrumentation(
            "clickhouse-driver",
            supports=("clickhouse-driver>=0.2.6,<0.3",),
            hooks={"clickhouse_driver.client": f"{_PATCHES}.clickhouse_driver:patch"},
            convention="database",
        ),
        Instrumentation(
            "clickhouse-connect",
            supports=("clickhouse-connect>=0.8,<2",),
            hooks={
                "clickhouse_connect.driver.httpclient": f"{_PATCHES}.clickhouse_connect:patch_client",
                "clickhouse_connect.driver.asyncclient": f"{_PATCHES}.clickhouse_connect:patch_asyncio_client",
                "clickhouse_connect.dbapi.cursor": f"{_PATCHES}.clickhouse_connect:patch_cursor",
            },
            convention="database",
        ),
        Instrumentation(
            "pymemcache",
            supports=("pymemcache>=3.5,<5",),
            hooks={"pymemcache.client.base": f"{_PATCHES}.pymemcache:patch"},
            convention="database",
        ),
        Instrumentation(
            "aiomcache",
            supports=("aiomcache>=0.7,<1",),
            hooks={"aiomcache.client": f"{_PATCHES}.aiomcache:patch"},
            convention="database",
        ),
        Instrumentation(
            "pylibmc",
            supports=("pylibmc>=1.6.1,<2",),
            hooks={"pylibmc.client": f"{_PATCHES}.pylibmc:patch"},
            convention="database",
        ),
        Instrumentation(
            "pymongo",
            supports=("pymongo>=4.9,<5",),
            hooks={
                "pymongo.synchronous.command_runner": f"{_PATCHES}.pymongo:patch_command_runner",  # from 4.20
                "pymongo.synchronous.pool": f"{_PATCHES}.pymongo:patch_pool",
                "pymongo.synchronous.server": f"{_PATCHES}.pymongo:patch_server",
                "pymongo.synchronous.bulk": f"{_PATCHES}.pymongo:patch_bulk",
                "pymongo.synchronous.client_bulk": f"{_PATCHES}.pymongo:patch_bulk",
                "pymongo.asynchronous.command_runner": f"{_PATCHES}.pymongo:patch_command_runner",  # from 4.20
                "pymongo.asynchronous.pool": f"{_PATCHES}.pymongo:patch_pool",
                "pymongo.asynchronous.server": f"{_PATCHES}.pymongo:patch_server",
                "pymongo.asynchronous.bulk": f"{_PATCHES}.pymongo:patch_bulk",
                "pymongo.asynchronous.client_bulk": f"{_PATCHES}.pymongo:patch_bulk",
            },
            convention="database",
        ),
        Instrumentation(
            "cassandra",
            supports=("cassandra-driver>=3.29,<4",),
            hooks={"cassandra.cluster": f"{_PATCHES}.cassandra:patch"},
            convention="database",
        ),
        Instrumentation(
            "django-db",
            supports=("django>=3.2,<7",),
            hooks={"django.db.backends.sqlite3.operations": f"{_PATCHES}.django:patch"},
            convention="context",
        ),
        Instrumentation(
            "elasticsearch",
            supports=("elasticsearch>=8.13,<10",),
            hooks={
                "elasticsearch._otel": f"{_PATCHES}.elasticsearch:patch_own_telemetry",
                "elasticsearch._sync.client._base": f"{_PATCHES}.elasticsearch:patch",
                "elasticsearch._async.client._base": f"{_PATCHES}.elasticsearch:patch",
            },
            convention="database",
        ),
        Instrumentation(
            "opensearch-py",
            supports=("opensearch-py>=2.4,<4",),
            hooks={
                "opensearchpy.transport": f"{_PATCHES}.opensearchpy:patch",
                "opensearchpy._async.transport": f"{_PATCHES}.opensearchpy:patch",
            },
            convention="database",
        ),
        # Their connections; the calls are told by the rows above.
        Instrumentation(
            "sqlalchemy-pool",
            supports=("SQLAlchemy>=1.4,<2.2",),
            hooks={"sqlalchemy.engine.base": f"{_PATCHES}.sqlalchemy_pool:patch"},
            convention="pool",
        ),
        Instrumentation(
            "psycopg-pool",
            supports=("psycopg-pool>=3.1,<4",),
            hooks={
                "psycopg_pool.pool": f"{_PATCHES}.psycopg_pool:patch_pool",
                "psycopg_pool.pool_async": f"{_PATCHES}.psycopg_pool:patch_async_pool",
            },
            convention="pool",
        ),
        Instrumentation(
            "psycopg2-pool",
            supports=("psycopg2>=2.8,<3", "psycopg2-binary>=2.8,<3"),
            hooks={"psycopg2.pool": f"{_PATCHES}.psycopg2_pool:patch"},
            convention="pool",
        ),
        Instrumentation(
            "asyncpg-pool",
            supports=("asyncpg>=0.27,<1",),
            hooks={"asyncpg.pool": f"{_PATCHES}.asyncpg_pool:patch"},
            convention="pool",
        ),
        Instrumentation(
            "aiomysql-pool",
            supports=("aiomysql>=0.1.1,<1",),
            hooks={"aiomysql.pool": f"{_PATCHES}.aiomysql_pool:patch"},
            convention="pool",
        ),
        Instrumentation(
            "asyncmy-pool",
            supports=("asyncmy>=0.2.9,<1",),
            hooks={"asyncmy.pool": f"{_PATCHES}.aiomysql_pool:patch"},
            convention="pool",
        ),
        Instrumentation(
            "mysql-connector-pool",
            supports=("mysql-connector-python>=8.0.33,<27",),
            hooks={
                "mysql.connector.pooling": f"{_PATCHES}.mysql_connector_pool:patch",
                "mysql.connector.aio.pooling": f"{_PATCHES}.mysql_connector_pool:patch_asyncio",
            },
            convention="pool",
        ),
        Instrumentation(
            "redis-pool",
            supports=("redis>=4.5,<9",),
            hooks={
                "redis.connection": f"{_PATCHES}.redis_pool:patch",
                "redis.asyncio.connection": f"{_PATCHES}.redis_pool:patch_asyncio",
            },
            convention="pool",
        ),
        Instrumentation(
            "valkey-pool",
            supports=("valkey>=6.0,<7",),
            hooks={
                "valkey.connection": f"{_PATCHES}.redis_pool:patch",
                "valkey.asyncio.connection": f"{_PATCHES}.redis_pool:patch_asyncio",
            },
            convention="pool",
        ),
        Instrumentation(
            "pymongo-pool",
            supports=("pymongo>=4.9,<5",),
            hooks={
                "pymongo.synchronous.pool": f"{_PATCHES}.pymongo_pool:patch",
                "pymongo.asynchronous.pool": f"{_PATCHES}.pymongo_pool:patch_asyncio",
            },
            convention="pool",
        ),
    ]
