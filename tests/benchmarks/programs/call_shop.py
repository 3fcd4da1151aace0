"""Calls the shop in its own process: `call_shop.py AGENT PAGES QUERY_PAGES`, as WSGI servers do but without sockets.

Prints CPU and median time per page without a query, and per query on pages of twenty.
"""

from __future__ import annotations

import json
import sys

from flushing import flush_of
from pacing import measured
from shop import app, setup_spans
from werkzeug.test import create_environ

QUERIES = 20
SETTLE_S = 1.2


def call(environ):
    status = []

    def start_response(line, headers, exc_info=None):
        status.append(line)

    body = app(environ, start_response)
    try:
        for _ in body:
            pass
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()
    assert status[0].startswith("200"), status


def main(agent, pages, query_pages):
    flush = flush_of(agent)
    headers = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)", "Accept": "*/*"}
    page = create_environ("/orders/0?token=x&page=3", "http://shop.example.com", headers=headers)
    with_queries = create_environ(f"/orders/{QUERIES}", "http://shop.example.com", headers=headers)
    warm = 20
    for _ in range(warm):
        call(dict(page))
        call(dict(with_queries))
    flush()
    of_page = measured(call, lambda: dict(page), pages, flush, SETTLE_S)
    of_queries = measured(call, lambda: dict(with_queries), query_pages, flush, SETTLE_S, QUERIES + 1)
    answer = {
        "page_cpu_us": of_page["cpu_us"],
        "page_us": of_page["latency_us"],
        "query_cpu_us": (of_queries["cpu_us"] - of_page["cpu_us"]) / QUERIES,
        "query_us": (of_queries["latency_us"] - of_page["latency_us"]) / QUERIES,
        "spans": setup_spans(agent) + pages + warm + (query_pages + warm) * (QUERIES + 1),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
