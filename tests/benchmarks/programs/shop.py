"""A small Flask application over sqlite3: `/orders/N` answers after N queries."""

from __future__ import annotations

import sqlite3

import flask

app = flask.Flask("shop")
connection = sqlite3.connect(":memory:", check_same_thread=False)
connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, total INTEGER)")
connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", [(n, f"customer {n}", n * 7) for n in range(1000)])


def setup_spans(agent):
    """Spans of the statements above, from agents that see connection.execute."""
    return 2 if agent == "remora" else 0


@app.route("/orders/<int:queries>")
def orders(queries):
    total = 0
    for number in range(queries):
        cursor = connection.cursor()  # the way that all agents trace; contrib does not see connection.execute
        cursor.execute("SELECT customer, total FROM orders WHERE id = ?", (number,))
        total += cursor.fetchone()[1]
    return {"total": total}
