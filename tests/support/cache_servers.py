"""Redis and memcached for tests: the one that runs, else one of our own, else a skip; in CI a skip is a failure."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from support.servers import LOCAL, accepts_connections, free_port, missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REDIS_PORT = 6379
MEMCACHED_PORT = 11211


@contextmanager
def redis_server() -> Iterator[int]:
    """The port of a Redis on 127.0.0.1; tests keep to keys of their own in database 9."""
    if accepts_connections(REDIS_PORT):
        yield REDIS_PORT
        return
    with own_redis() as port:
        yield port


@contextmanager
def own_redis(*options: str) -> Iterator[int]:
    """The port of a Redis that lives as long as this, started with ``options``."""
    binary = shutil.which("redis-server")
    if binary is None:
        missing("redis-server is not installed (apt-get install redis-server)")
    with tempfile.TemporaryDirectory(prefix="remora-redis-") as folder:
        port = _free_port_of_redis()
        command = [str(binary), "--port", str(port), "--bind", LOCAL, "--dir", folder, "--save", "", *options]
        with running_server(command, port):
            yield port


@contextmanager
def redis_cluster() -> Iterator[int]:
    """The port of the only node of a cluster of its own."""
    with own_redis("--cluster-enabled", "yes") as port:
        with socket.create_connection((LOCAL, port), timeout=20) as node:
            node.sendall(b"CLUSTER ADDSLOTSRANGE 0 16383\r\n")
            assert node.recv(64) == b"+OK\r\n"
            state = b""
            while b"cluster_state:ok" not in state:
                time.sleep(0.02)
                node.sendall(b"CLUSTER INFO\r\n")
                state = node.recv(65536)
        yield port


@contextmanager
def memcached_server() -> Iterator[int]:
    """The port of a memcached on 127.0.0.1."""
    if accepts_connections(MEMCACHED_PORT):
        yield MEMCACHED_PORT
        return
    binary = shutil.which("memcached")
    if binary is None:
        missing("no memcached answers on 127.0.0.1:11211 and none is installed (apt-get install memcached)")
    port = free_port()
    with running_server([str(binary), "-l", LOCAL, "-p", str(port), "-U", "0", "-u", "nobody"], port):
        yield port


def _free_port_of_redis() -> int:
    """A cluster's nodes talk to each other at a port that is 10000 higher."""
    while True:
        port = free_port()
        if port < 55_000:
            return port


@contextmanager
def running_server(
    command: list[str],
    port: int,
    *,
    env: Mapping[str, str] | None = None,
    within_s: float = 20,
    stopped_by: signal.Signals = signal.SIGTERM,
) -> Iterator[None]:
    """Starts a server and waits until it listens on ``port`` of 127.0.0.1."""
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, env=env)
    try:
        deadline = time.monotonic() + within_s
        while not accepts_connections(port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} does not listen on {port}")
            time.sleep(0.05)
        yield
    finally:
        server.send_signal(stopped_by)
        server.wait(20)
