"""Reads queries as they may be shown: `read_sql.py remora|sqlparse PATH MEGABYTES`, PATH plain or cached.

Prints megabytes (1e6 characters) per second of CPU. Plain: no query is like another. Cached: the same eight again and
again, as programs that pass values apart do.
"""

from __future__ import annotations

import json
import sys
import time

QUERIES = (
    "SELECT id, name, price FROM goods WHERE id = {n} AND owner = 'user{n}'",
    "INSERT INTO orders (id, customer, total, note) VALUES ({n}, 'customer {n}', {n}.50, 'it''s number {n}')",
    "UPDATE stock SET amount = amount - {n}, changed = '2024-05-{n}' WHERE good IN (1, 2, 3, {n}) /* page {n} */",
    "DELETE FROM sessions WHERE token = 'abcdef{n}' AND expires < 17{n}",
    (
        "SELECT o.id, c.name, sum(l.amount * l.price) FROM orders o JOIN customers c ON c.id = o.customer "
        "LEFT JOIN lines l ON l.order_id = o.id WHERE o.created BETWEEN '2024-01-{n}' AND '2024-02-{n}' "
        "GROUP BY o.id, c.name HAVING sum(l.amount) > {n} ORDER BY o.id LIMIT {n} OFFSET 20"
    ),
    "WITH recent AS (SELECT * FROM visits WHERE day > {n}) SELECT count(*) FROM recent r, users u WHERE u.id = r.u",
    'SELECT "first name", "last name" FROM "people" WHERE "zip code" = \'{n}\' AND -{n} < score',
    "CREATE TABLE archive_{n} AS SELECT * FROM orders WHERE created < '20{n}-01-01'",
)
SYSTEM = "postgresql"


def queries(path, size_chars):
    """As many as make up ``size_chars``."""
    made, chars, number = [], 0, 0
    while chars < size_chars:
        number += 1
        form = QUERIES[number % len(QUERIES)]
        made.append(form.format(n=1000 + number if path == "plain" else 7))
        chars += len(made[-1])
    return made, chars


def reader(who):
    if who == "remora":
        from remora.conventions import sql

        return lambda text: sql.read(text, SYSTEM)
    import sqlparse
    from sqlparse.tokens import Comment, Literal

    def read(text):
        (statement, *_) = sqlparse.parse(text)
        tokens = statement.flatten()
        return "".join(
            "?" if token.ttype in Literal else "" if token.ttype in Comment else token.value for token in tokens
        ), statement.get_type()

    return read


def main(who, path, megabytes):
    read = reader(who)
    texts, chars = queries(path, int(float(megabytes) * 1e6))
    for text in texts[:50]:
        read(text)
    begun_s = time.process_time()
    for text in texts:
        read(text)
    took_s = time.process_time() - begun_s
    print(json.dumps({"mb_per_s": chars / took_s / 1e6, "us_per_query": took_s / len(texts) * 1e6}))


if __name__ == "__main__":
    main(*sys.argv[1:])
