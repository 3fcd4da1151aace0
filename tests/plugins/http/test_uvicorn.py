"""uvicorn: any ASGI application"""

from __future__ import annotations

from plugins.http.plain_asgi import application
from plugins.http.server_contract import HttpServerContract
from plugins.http.threaded import serving_asgi


class TestUvicorn(HttpServerContract):
    knows_routes = False

    def serving(self):
        return serving_asgi(application)
