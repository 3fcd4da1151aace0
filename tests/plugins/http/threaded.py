"""Real servers in a thread, for the applications of frameworks."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from werkzeug.serving import make_server

from support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Literal


@contextmanager
def serving(application: Callable[..., Any]) -> Iterator[int]:
    """The port that ``application`` is served on, a thread for each connection."""
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def serving_asgi(application: Any, lifespan: Literal["on", "off"] = "off") -> Iterator[int]:
    """The port that ``application`` is served on by uvicorn."""
    # h11, also where httptools is installed: that refuses unknown methods before an application sees them.
    config = uvicorn.Config(application, port=0, log_level="critical", lifespan=lifespan, http="h11", loop="asyncio")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until("uvicorn listens", lambda: server.started)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(5)
