"""hypercorn: any ASGI application"""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager

from hypercorn.asyncio import serve
from hypercorn.config import Config

from plugins.http.plain_asgi import application
from plugins.http.server_contract import HttpServerContract
from support.processes import wait_until
from support.servers import accepts_connections, free_port


class TestHypercorn(HttpServerContract):
    knows_routes = False

    @contextmanager
    def serving(self):
        port = free_port()
        config = Config()
        config.bind = [f"127.0.0.1:{port}"]
        config.loglevel = "CRITICAL"
        config.errorlog = None
        loop = asyncio.new_event_loop()
        over = asyncio.Event()

        async def never():
            await over.wait()

        thread = threading.Thread(
            target=loop.run_until_complete, args=(serve(application, config, shutdown_trigger=never),), daemon=True
        )
        thread.start()
        wait_until("hypercorn listens", lambda: accepts_connections(port))
        try:
            yield port
        finally:
            loop.call_soon_threadsafe(over.set)
            thread.join(10)
            loop.close()
