"""An aiohttp application behind aiohttp's own protocol, which is given bytes as from a socket."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from aiohttp import web

REQUEST = (
    b"GET /orders/7?token=x&page=3 HTTP/1.1\r\nHost: shop.example.com\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\n\r\n"
)


class Connection(asyncio.Transport):
    """Tells when the end of the answer, a JSON object, was written."""

    def __init__(self):
        super().__init__({"peername": ("127.0.0.1", 50000), "sockname": ("127.0.0.1", 8000)})
        self.written = b""
        self.answered = None

    def write(self, data):
        self.written += data
        if self.written.endswith(b"}"):
            self.answered.set_result(self.written)

    def writelines(self, pieces):
        self.write(b"".join(pieces))

    def is_closing(self):
        return False

    def close(self):
        pass


async def orders(request):
    return web.json_response({"number": request.match_info["number"], "page": request.query["page"]})


@asynccontextmanager
async def aiohttp_server(agent):
    app = web.Application()
    app.router.add_get("/orders/{number}", orders)
    if agent == "ddtrace":
        from ddtrace.contrib.aiohttp import trace_app

        trace_app(app)  # it does not do that by itself
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    loop = asyncio.get_running_loop()
    connection, protocol = Connection(), runner.server()
    protocol.connection_made(connection)

    async def call(answered):
        connection.written, connection.answered = b"", answered
        protocol.data_received(REQUEST)
        answer = await answered
        assert answer.startswith(b"HTTP/1.1 200"), answer

    yield call, loop.create_future
    protocol.connection_lost(None)
    await runner.cleanup()
