"""Serves the shop by werkzeug's server: `serve_shop.py AGENT`; prints its port, tells its CPU at `/measured`."""

from __future__ import annotations

import json
import logging
import sys
import time

from flushing import flush_of
from shop import app, setup_spans
from werkzeug.serving import make_server

SETTLE_S = 1.2


def main(agent):
    flush = flush_of(agent)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    begun_s = 0.0
    ended = False

    def application(environ, start_response):
        # These two are the benchmark's own: they do not reach the application that the agent sees.
        nonlocal begun_s, ended
        if environ["PATH_INFO"] == "/begin":
            flush()
            begun_s = time.process_time()
        elif environ["PATH_INFO"] == "/measured":
            flush()
            time.sleep(SETTLE_S)
            ended = True
            answer = json.dumps({"cpu_s": time.process_time() - begun_s, "setup_spans": setup_spans(agent)}).encode()
            start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
            return [answer]
        else:
            return app(environ, start_response)
        start_response("204 No Content", [])
        return []

    server = make_server("127.0.0.1", 0, application)
    print(server.server_port, flush=True)
    while not ended:
        server.handle_request()


if __name__ == "__main__":
    main(sys.argv[1])
