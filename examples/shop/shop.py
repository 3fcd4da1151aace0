"""The shop: products and orders in SQLite; what is in stock it asks of another service.

A program like any other: nothing in it knows of Remora. `remora run python shop.py` traces it.
"""

from __future__ import annotations

import argparse
import sqlite3

import requests
from flask import Flask, request
from werkzeug.serving import make_server

PRODUCTS = [("cup", "A blue cup", 12.5), ("plate", "A white plate", 18.0), ("umbrella", "An umbrella", 35.0)]


def make_app(database: str, stock_url: str) -> Flask:
    app = Flask("shop")

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(database)

    with connect() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS products (id TEXT PRIMARY KEY, name TEXT, price REAL)")
        connection.execute("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, product TEXT, pieces INTEGER)")
        connection.executemany("INSERT OR IGNORE INTO products VALUES (?, ?, ?)", PRODUCTS)

    @app.get("/")
    def index() -> str:
        (orders,) = connect().execute("SELECT COUNT(*) FROM orders").fetchone()
        return f"Welcome to the shop. It has sold {orders} times."

    @app.get("/products")
    def products() -> list[dict[str, object]]:
        rows = connect().execute("SELECT id, name, price FROM products ORDER BY name").fetchall()
        return [{"id": row[0], "name": row[1], "price": row[2]} for row in rows]

    @app.get("/products/<product>")
    def product(product: str) -> dict[str, object] | tuple[str, int]:
        row = connect().execute("SELECT name, price FROM products WHERE id = ?", (product,)).fetchone()
        if row is None:
            return "no such product", 404
        return {"name": row[0], "price": row[1]}

    @app.post("/orders")
    def order() -> tuple[dict[str, object], int]:
        wanted = request.get_json()
        with connect() as connection:
            (price,) = connection.execute("SELECT price FROM products WHERE id = ?", (wanted["product"],)).fetchone()
            answer = requests.post(f"{stock_url}/reservations", json=wanted, timeout=5)
            answer.raise_for_status()
            cursor = connection.execute(
                "INSERT INTO orders (product, pieces) VALUES (?, ?)", (wanted["product"], wanted["pieces"])
            )
        return {"order": cursor.lastrowid, "price": price * wanted["pieces"]}, 201

    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--database", default="shop.sqlite")
    parser.add_argument("--stock-url", default="http://127.0.0.1:8001")
    given = parser.parse_args()
    server = make_server("127.0.0.1", given.port, make_app(given.database, given.stock_url), threaded=True)
    print(f"http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()
