"""Litestar"""

from __future__ import annotations

import asyncio

import pytest
from litestar import Litestar, Response, get
from litestar.response import Stream
from opentelemetry import trace

from plugins.http.server_contract import HttpServerContract
from plugins.http.threaded import serving_asgi


def tracer():
    return trace.get_tracer("contract")


@get("/")
async def index() -> str:
    return "ok"


@get("/items/{number:int}")
async def item(number: int) -> str:
    return str(number)


@get("/status/{number:int}")
async def status(number: int) -> Response[str]:
    return Response("", status_code=number)


@get("/boom")
async def boom() -> str:
    raise RuntimeError("password=hunter2")


@get("/child")
async def child() -> str:
    with tracer().start_as_current_span("inside"):
        return "ok"


@get("/stream")
async def stream() -> Stream:
    async def chunks():
        for _ in range(3):
            with tracer().start_as_current_span("chunk"):
                await asyncio.sleep(0.011)
            yield b"chunk"

    return Stream(chunks())


# Inferred path parameters: what works in all versions, though the latest would have them written otherwise.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class TestLitestar(HttpServerContract):
    def serving(self):
        return serving_asgi(Litestar([index, item, status, boom, child, stream]))
