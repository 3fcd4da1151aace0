"""HTTP servers and clients."""

from __future__ import annotations

from remora.api import Instrumentation, hookimpl

_PATCHES = "remora_plugins.http"


@hookimpl
def instrumentations() -> list[Instrumentation]:
    return [
        Instrumentation(
            "flask",
            supports=("flask>=2.0,<4",),
            hooks={"flask.app": f"{_PATCHES}.flask:patch"},
            convention="http.server",
        ),
        Instrumentation(
            "django",
            supports=("django>=3.2,<7",),
            hooks={
                "django.core.handlers.asgi": f"{_PATCHES}.django:patch_asgi",
                "django.core.handlers.base": f"{_PATCHES}.django:patch_base",
                "django.core.handlers.exception": f"{_PATCHES}.django:patch_exception",
                "django.core.handlers.wsgi": f"{_PATCHES}.django:patch_wsgi",
                "django.test.client": f"{_PATCHES}.django:patch_test_client",
            },
            convention="http.server",
        ),
        Instrumentation(
            "falcon",
            supports=("falcon>=3.0,<5",),
            hooks={
                "falcon.app": f"{_PATCHES}.falcon:patch",
                "falcon.asgi.app": f"{_PATCHES}.falcon:patch_asgi",
            },
            convention="http.server",
        ),
        Instrumentation(
            "pyramid",
            supports=("pyramid>=1.10,<3",),
            hooks={
                "pyramid.router": f"{_PATCHES}.pyramid:patch_router",
                "pyramid.urldispatch": f"{_PATCHES}.pyramid:patch_urldispatch",
            },
            convention="http.server",
        ),
        Instrumentation(
            "bottle",
            supports=("bottle>=0.12.18,<1",),
            hooks={"bottle": f"{_PATCHES}.bottle:patch"},
            convention="http.server",
        ),
        Instrumentation(
            "gunicorn",
            supports=("gunicorn>=20.1,<28",),
            hooks={
                "gunicorn.workers.base_async": f"{_PATCHES}.gunicorn:patch",
                "gunicorn.workers.gthread": f"{_PATCHES}.gunicorn:patch",
                "gunicorn.workers.sync": f"{_PATCHES}.gunicorn:patch",
            },
            convention="http.server",
            doc="any WSGI application, with or without a framework",
        ),
        Instrumentation(
            "waitress",
            supports=("waitress>=2.0,<4",),
            hooks={"waitress.server": f"{_PATCHES}.waitress:patch"},
            convention="http.server",
            doc="any WSGI application, with or without a framework",
        ),
        Instrumentation(
            "starlette",
            supports=("starlette>=0.20,<2",),
            hooks={
                "starlette.applications": f"{_PATCHES}.starlette:patch",
                "starlette.routing": f"{_PATCHES}.starlette:patch_routing",
                "starlette.middleware.opentelemetry": f"{_PATCHES}.starlette:patch_native",
            },
            convention="http.server",
        ),
        Instrumentation(
            "fastapi",
            supports=("fastapi>=0.92,<1",),
            hooks={
                "fastapi.applications": f"{_PATCHES}.fastapi:patch",
                "fastapi.routing": f"{_PATCHES}.fastapi:patch_routing",
                "fastapi.telemetry._asgi": f"{_PATCHES}.fastapi_telemetry:patch_native",
            },
            convention="http.server",
        ),
        Instrumentation(
            "opentelemetry-asgi",
            supports=("opentelemetry-instrumentation-asgi>=0.48b0,<1",),
            hooks={"opentelemetry.instrumentation.asgi": f"{_PATCHES}.opentelemetry_asgi:patch"},
            convention="http.server",
            doc="OpenTelemetry's ASGI middleware added by hand: one span, not two",
        ),
        Instrumentation(
            "quart",
            supports=("quart>=0.18,<1",),
            hooks={"quart.app": f"{_PATCHES}.quart:patch"},
            convention="http.server",
        ),
        Instrumentation(
            "litestar",
            supports=("litestar>=2.0,<3",),
            hooks={
                "litestar.app": f"{_PATCHES}.litestar:patch",
                "litestar.routes.http": f"{_PATCHES}.litestar:patch_http_route",
                "litestar.routes.websocket": f"{_PATCHES}.litestar:patch_websocket_route",
                "litestar.routes.asgi": f"{_PATCHES}.litestar:patch_asgi_route",
            },
            convention="http.server",
        ),
        Instrumentation(
            "sanic",
            supports=("sanic>=22.12,<27",),
            hooks={
                "sanic.app": f"{_PATCHES}.sanic:patch",
                "sanic.handlers": f"{_PATCHES}.sanic:patch_handlers",
                "sanic.router": f"{_PATCHES}.sanic:patch_router",
                "sanic.server.protocols.http_protocol": f"{_PATCHES}.sanic:patch_protocol",
            },
            convention="http.server",
        ),
        Instrumentation(
            "uvicorn",
            supports=("uvicorn>=0.20,<1",),
            hooks={
                "uvicorn.protocols.http.h11_impl": f"{_PATCHES}.uvicorn:patch_http",
                "uvicorn.protocols.http.httptools_impl": f"{_PATCHES}.uvicorn:patch_http",
                "uvicorn.protocols.http.zttp_impl": f"{_PATCHES}.uvicorn:patch_http",
                "uvicorn.protocols.http.zttp_h2_impl": f"{_PATCHES}.uvicorn:patch_http",
                "uvicorn.protocols.websockets.websockets_impl": f"{_PATCHES}.uvicorn:patch_websocket",
                "uvicorn.protocols.websockets.websockets_sansio_impl": f"{_PATCHES}.uvicorn:patch_websocket",
                "uvicorn.protocols.websockets.wsproto_impl": f"{_PATCHES}.uvicorn:patch_websocket",
                "uvicorn.middleware.wsgi": f"{_PATCHES}.uvicorn:patch_wsgi",
            },
            convention="http.server",
            doc="any ASGI application, with or without a framework",
        ),
        Instrumentation(
            "granian",
            supports=("granian>=2.4,<3",),
            hooks={
                "granian.asgi": f"{_PATCHES}.granian:patch_asgi",
                "granian.server.embed": f"{_PATCHES}.granian:patch_workers",
                "granian.server.mp": f"{_PATCHES}.granian:patch_workers",
                "granian.server.mt": f"{_PATCHES}.granian:patch_workers",
            },
            convention="http.server",
            doc="any ASGI or WSGI application, with or without a framework",
        ),
        Instrumentation(
            "hypercorn",
            supports=("hypercorn>=0.14,<1",),
            hooks={"hypercorn.app_wrappers": f"{_PATCHES}.hypercorn:patch"},
            convention="http.server",
            doc="any ASGI or WSGI application, with or without a framework",
        ),
        Instrumentation(
            "daphne",
            supports=("daphne>=4.0,<5",),
            hooks={"daphne.server": f"{_PATCHES}.daphne:patch"},
            convention="http.server",
            doc="any ASGI application, with or without a framework",
        ),
        Instrumentation(
            "wsgiref",
            supports=(),
            hooks={"wsgiref.handlers": f"{_PATCHES}.wsgiref:patch"},
            convention="http.server",
        ),
        Instrumentation(
            "http.server",
            supports=(),
            hooks={"http.server": f"{_PATCHES}.http_server:patch"},
            convention="http.server",
        ),
        Instrumentation(
            "urllib.request",
            supports=(),
            hooks={"urllib.request": f"{_PATCHES}.urllib_request:patch"},
            convention="http.client",
        ),
        Instrumentation(
            "http.client",
            supports=(),
            hooks={"http.client": f"{_PATCHES}.http_client:patch"},
            convention="http.client",
        ),
        Instrumentation(
            "aiohttp-server",
            supports=("aiohttp>=3.8,<4",),
            hooks={"aiohttp.web_protocol": f"{_PATCHES}.aiohttp_server:patch"},
            convention="http.server",
        ),
        Instrumentation(
            "aiohttp-client",
            supports=("aiohttp>=3.8,<4",),
            hooks={"aiohttp.client": f"{_PATCHES}.aiohttp_client:patch"},
            convention="http.client",
        ),
        Instrumentation(
            "tornado-server",
            supports=("tornado>=6.1,<7",),
            hooks={
                "tornado.web": f"{_PATCHES}.tornado_server:patch",
                "tornado.wsgi": f"{_PATCHES}.tornado_server:patch_wsgi",
            },
            convention="http.server",
        ),
        Instrumentation(
            "tornado-client",
            supports=("tornado>=6.1,<7",),
            hooks={
                "tornado.curl_httpclient": f"{_PATCHES}.tornado_client:patch_curl",
                "tornado.simple_httpclient": f"{_PATCHES}.tornado_client:patch_simple",
                "tornado.websocket": f"{_PATCHES}.tornado_client:patch_websocket",
            },
            convention="http.client",
        ),
        Instrumentation(
            "websockets-server",
            supports=("websockets>=12,<18",),
            hooks={
                "websockets.asyncio.server": f"{_PATCHES}.websockets_server:patch_asyncio",
                "websockets.legacy.server": f"{_PATCHES}.websockets_server:patch_legacy",
                "websockets.sync.server": f"{_PATCHES}.websockets_server:patch_sync",
            },
            convention="http.server",
        ),
        Instrumentation(
            "websockets-client",
            supports=("websockets>=12,<18",),
            hooks={
                "websockets.asyncio.client": f"{_PATCHES}.websockets_client:patch_asyncio",
                "websockets.legacy.client": f"{_PATCHES}.websockets_client:patch_legacy",
                "websockets.sync.client": f"{_PATCHES}.websockets_client:patch_sync",
            },
            convention="http.client",
        ),
        Instrumentation(
            "httpx",
            supports=("httpx>=0.21,<1",),
            hooks={"httpx._client": f"{_PATCHES}.httpx:patch"},
            convention="http.client",
        ),
        Instrumentation(
            "httpx2",
            supports=("httpx2>=2,<3",),
            hooks={"httpx2._client": f"{_PATCHES}.httpx:patch"},
            convention="http.client",
        ),
        Instrumentation(
            "requests",
            supports=("requests>=2.20,<3",),
            hooks={
                "requests.adapters": f"{_PATCHES}.requests:patch",
                "requests.sessions": f"{_PATCHES}.requests:patch_redirects",
            },
            convention="http.client",
        ),
        Instrumentation(
            "urllib3",
            supports=("urllib3>=1.26,<3",),
            hooks={"urllib3.connectionpool": f"{_PATCHES}.urllib3:patch"},
            convention="http.client",
        ),
    ]
