"""Calls an application, or a server by a client, in one process: `call_http.py AGENT LIBRARY COUNT SETTLE_S`.

Applications are called without sockets; what clients ask answers at once.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import sys
import time

from flushing import flush_of
from pacing import Paced, measured

SPANS = 4  # the most that any agent makes of a request by default
WARM = 20


async def measured_on_a_loop(open_library, agent, count, flush, settle_s):
    async with open_library(agent) as (call, prepare):
        for _ in range(WARM):
            await call(prepare())
        flush()
        paced = Paced(count, SPANS)
        for burst in paced.bursts():
            for _ in range(burst):
                prepared = prepare()
                thread_ns, wall_ns = time.thread_time_ns(), time.perf_counter_ns()
                await call(prepared)
                paced.took(wall_ns, thread_ns)
            await asyncio.sleep(paced.pause_s())
        return paced.result(flush, settle_s)


def library_of(name):
    """What opens the library: a context of (call, prepare), an asynchronous one for what needs a loop."""
    if name == "django":
        from served_django import django as opens
    elif name == "fastapi":
        from served_asgi import fastapi as opens
    elif name == "starlette":
        from served_asgi import starlette as opens
    elif name == "aiohttp-server":
        from served_aiohttp import aiohttp_server as opens
    elif name == "requests":
        from asking_clients import requests_client as opens
    elif name == "httpx":
        from asking_clients import httpx_client as opens
    else:
        from asking_clients import aiohttp_client as opens
    return opens


def main(agent, name, count, settle_s):
    flush = flush_of(agent)
    opens = library_of(name)
    if inspect.isasyncgenfunction(inspect.unwrap(opens)):
        answer = asyncio.run(measured_on_a_loop(opens, agent, count, flush, settle_s))
    else:
        with opens(agent) as (call, prepare):
            for _ in range(WARM):
                call(prepare())
            flush()
            answer = measured(call, prepare, count, flush, settle_s, SPANS)
    print(json.dumps({**answer, "spans": count + WARM}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
