"""Applications of Starlette and of FastAPI, called as ASGI servers do."""

from __future__ import annotations

from contextlib import asynccontextmanager

HEADERS = [
    (b"host", b"shop.example.com"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64)"),
    (b"accept", b"*/*"),
]


def scope():
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "method": "GET",
        "root_path": "",
        "path": "/orders/7",
        "raw_path": b"/orders/7",
        "query_string": b"token=x&page=3",
        "headers": list(HEADERS),
        "state": {},
    }


def caller(application):
    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def call(scope):
        status = []

        async def send(message):
            if message["type"] == "http.response.start":
                status.append(message["status"])

        await application(scope, receive, send)
        assert status == [200], status

    return call


@asynccontextmanager
async def starlette(agent):
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def orders(request):
        return JSONResponse({"number": request.path_params["number"], "page": request.query_params["page"]})

    yield caller(Starlette(routes=[Route("/orders/{number:int}", orders)])), scope


@asynccontextmanager
async def fastapi(agent):
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/orders/{number}")
    async def orders(number: int, page: str):
        return {"number": number, "page": page}

    yield caller(app), scope
