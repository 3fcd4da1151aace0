"""The stock: how many pieces of a product there are, and in boxes of how many they come. It has a bug.

A program like any other: nothing in it knows of Remora. `remora run python stock.py` traces it.
"""

from __future__ import annotations

import argparse
import sqlite3

from flask import Flask, request
from werkzeug.serving import make_server

# Product, pieces, pieces in a box. Somebody forgot to say how umbrellas are packed.
STOCK = [("cup", 1000, 6), ("plate", 1000, 12), ("umbrella", 1000, 0)]


def make_app(database: str) -> Flask:
    app = Flask("stock")

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(database)

    with connect() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS stock (product TEXT PRIMARY KEY, pieces INTEGER, box INTEGER)")
        connection.executemany("INSERT OR IGNORE INTO stock VALUES (?, ?, ?)", STOCK)

    @app.post("/reservations")
    def reserve() -> tuple[dict[str, object], int]:
        wanted = request.get_json()
        with connect() as connection:
            pieces, box = connection.execute(
                "SELECT pieces, box FROM stock WHERE product = ?", (wanted["product"],)
            ).fetchone()
            boxes = -(-wanted["pieces"] // box)
            connection.execute(
                "UPDATE stock SET pieces = ? WHERE product = ?", (pieces - wanted["pieces"], wanted["product"])
            )
        return {"boxes": boxes}, 201

    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--database", default="stock.sqlite")
    given = parser.parse_args()
    server = make_server("127.0.0.1", given.port, make_app(given.database), threaded=True)
    print(f"http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()
