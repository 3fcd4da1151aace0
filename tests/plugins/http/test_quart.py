"""Quart"""

from __future__ import annotations

import asyncio

from opentelemetry import trace
from quart import Quart

from plugins.http.server_contract import HttpServerContract
from plugins.http.threaded import serving_asgi


def application():
    app = Quart("contract")
    tracer = trace.get_tracer("contract")

    @app.route("/")
    async def index():
        return "ok"

    @app.route("/items/<int:number>")
    async def item(number):
        return str(number)

    @app.route("/status/<int:number>")
    async def status(number):
        return "", number

    @app.route("/boom")
    async def boom():
        raise RuntimeError("password=hunter2")

    @app.route("/child")
    async def child():
        with tracer.start_as_current_span("inside"):
            return "ok"

    @app.route("/stream")
    async def stream():
        async def chunks():
            for _ in range(3):
                with tracer.start_as_current_span("chunk"):
                    await asyncio.sleep(0.011)
                yield b"chunk"

        return chunks()

    return app


class TestQuart(HttpServerContract):
    def serving(self):
        return serving_asgi(application())
