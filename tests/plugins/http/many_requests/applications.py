"""The contract's applications, with a handler besides that calls its own server, as services do that call each other.

``/nested?id=N`` makes a span with the number, waits, and asks ``/child?id=N`` of the server it runs in.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager

from opentelemetry import trace

tracer = trace.get_tracer("contract")


def flask_application():
    import flask
    import requests

    from plugins.http import test_flask

    app = test_flask.application()

    @app.route("/nested")
    def nested():
        number = flask.request.args["id"]
        with tracer.start_as_current_span("nested", attributes={"number": number}):
            time.sleep(0.001)
            return requests.get(f"{flask.request.host_url}child?id={number}", timeout=10).text

    return app


class Flask:
    def serving(self):
        from plugins.http.threaded import serving

        return serving(flask_application())


class Starlette:
    def serving(self):
        import httpx
        from starlette.applications import Starlette
        from starlette.responses import PlainTextResponse
        from starlette.routing import Route

        from plugins.http.test_starlette import ROUTES
        from plugins.http.threaded import serving_asgi

        async def nested(request):
            number = request.query_params["id"]
            with tracer.start_as_current_span("nested", attributes={"number": number}):
                await asyncio.sleep(0.001)
                async with httpx.AsyncClient(trust_env=False, verify=False) as client:
                    return PlainTextResponse(
                        (await client.get(f"{request.base_url}child?id={number}", timeout=10)).text
                    )

        return serving_asgi(Starlette(routes=[*ROUTES, Route("/nested", nested)]))


class Fastapi:
    def serving(self):
        import aiohttp
        import fastapi

        from plugins.http import test_fastapi
        from plugins.http.threaded import serving_asgi

        app = test_fastapi.application()

        async def nested(request: fastapi.Request):
            number = request.query_params["id"]
            with tracer.start_as_current_span("nested", attributes={"number": number}):
                await asyncio.sleep(0.001)
                async with aiohttp.ClientSession() as session:
                    async with session.get(f"{request.base_url}child?id={number}") as response:
                        await response.read()

        nested.__annotations__["request"] = fastapi.Request
        app.get("/nested")(nested)
        return serving_asgi(app)


class Aiohttp:
    def serving(self):
        import aiohttp
        from aiohttp import web

        from plugins.http.test_aiohttp_server import application, serving

        async def nested(request):
            number = request.query["id"]
            with tracer.start_as_current_span("nested", attributes={"number": number}):
                await asyncio.sleep(0.001)
                async with aiohttp.ClientSession() as session:
                    async with session.get(f"http://{request.host}/child?id={number}") as response:
                        return web.Response(text=await response.text())

        def runner():
            app = application()
            app.router.add_get("/nested", nested)
            return web.AppRunner(app)

        return serving(runner)


class FlaskUnderGevent:
    @contextmanager
    def serving(self):
        from gevent.pywsgi import WSGIServer

        server = WSGIServer(("127.0.0.1", 0), flask_application(), log=None, error_log=None)
        server.start()
        yield server.server_port
        server.stop(1)


class FlaskUnderEventlet:
    @contextmanager
    def serving(self):
        import eventlet
        from eventlet import wsgi

        listening = eventlet.listen(("127.0.0.1", 0))
        thread = threading.Thread(
            target=wsgi.server, args=(listening, flask_application()), kwargs={"log_output": False}, daemon=True
        )
        thread.start()
        yield listening.getsockname()[1]
