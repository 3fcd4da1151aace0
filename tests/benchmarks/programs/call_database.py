"""Asks a database again and again in one process: `call_database.py AGENT DRIVER COUNT SETTLE_S`."""

from __future__ import annotations

import json
import sys

import asked_databases
from flushing import flush_of
from pacing import measured

WARM = 50


def main(agent, driver, count, settle_s):
    flush = flush_of(agent)
    with getattr(asked_databases, driver)() as (call, setup_spans):
        for _ in range(WARM):
            call()
        flush()
        answer = measured(lambda _: call(), lambda: None, count, flush, settle_s)
    print(json.dumps({**answer, "spans": count + WARM + setup_spans}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
