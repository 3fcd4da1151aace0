"""Drivers that ask for one row by its key, each over one connection that is kept.

Each opens to (call, spans of its preparations). Servers are those of this machine, at their own ports.
"""

from __future__ import annotations

import os
from contextlib import closing, contextmanager

HOST = "127.0.0.1"
CREATE = "CREATE TEMPORARY TABLE goods (id INTEGER PRIMARY KEY, name VARCHAR(40), price INTEGER)"
INSERT = "INSERT INTO goods VALUES (7, 'lamp', 30)"
SELECT = "SELECT name, price FROM goods WHERE id = {}"
ROW = ("lamp", 30)


@contextmanager
def sqlite3():
    import sqlite3

    query = SELECT.format("?")
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(CREATE)
        connection.execute(INSERT)

        def call():
            cursor = connection.cursor()  # contrib does not see what a connection executes itself
            cursor.execute(query, (7,))
            assert cursor.fetchone() == ROW

        yield call, 2


@contextmanager
def psycopg():
    import psycopg

    port = int(os.environ.get("PGPORT", "5432"))
    query = SELECT.format("%s")
    with psycopg.connect(host=HOST, port=port, user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(CREATE)
        connection.execute(INSERT)

        def call():
            with connection.cursor() as cursor:
                assert cursor.execute(query, (7,)).fetchone() == ROW

        yield call, 2


@contextmanager
def pymysql():
    import pymysql

    port = int(os.environ.get("MYSQL_TCP_PORT", "3306"))
    query = SELECT.format("%s")
    with closing(pymysql.connect(host=HOST, port=port, user="root", password="", database="mysql")) as connection:
        with connection.cursor() as cursor:
            cursor.execute(CREATE)
            cursor.execute(INSERT)

        def call():
            with connection.cursor() as cursor:
                cursor.execute(query, (7,))
                assert cursor.fetchone() == ROW

        yield call, 2


@contextmanager
def redis():
    import redis

    with redis.Redis(HOST, 6379, db=9) as client:
        key = f"remora:benchmark:{os.getpid()}"
        client.set(key, "lamp", ex=600)

        def call():
            assert client.get(key) == b"lamp"

        yield call, 1
