"""redis-py and valkey-py: retries and redirects lie within ``execute_command``, which a pipeline overrides to queue.

Subscriptions do not go through here: what comes of them are messages.
"""

from __future__ import annotations

from remora.conventions.database import Place
from remora_plugins.database import redis_calls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher


def patch_client(module: ModuleType, patcher: Patcher) -> None:
    """The blocking client and the asyncio one, which name their methods alike."""
    system = _system(module)

    def place_of(client: Any) -> Place:
        pool = client.connection_pool
        place = getattr(pool, "_remora_place", None)
        if type(place) is not Place:  # a test's double has any attribute that is asked for
            options = pool.connection_kwargs
            place = pool._remora_place = redis_calls.place(system, options if isinstance(options, dict) else {})
        return place

    def execute(pipeline: Any, *_: Any, **__: Any) -> Any:
        queued = pipeline.command_stack
        if not queued and not pipeline.watching:
            return None
        transaction = getattr(pipeline, "is_transaction", None)  # asyncio's word
        if transaction is None:
            transaction = pipeline.transaction
        word = "MULTI" if transaction or pipeline.explicit_transaction else "PIPELINE"
        return redis_calls.pipeline(place_of(pipeline), word, [entry[0] for entry in queued])

    reads = redis_calls.reads(place_of, "connection_pool")
    client = getattr(module, "Redis" if system == "redis" else "Valkey")
    patcher.wrap(client, "execute_command", reads=reads)
    patcher.wrap(module.Pipeline, "immediate_execute_command", reads=reads)
    patcher.wrap(module.Pipeline, "execute", reads=execute)


def patch_cluster(module: ModuleType, patcher: Patcher) -> None:
    """Clusters, blocking and asyncio: a command may go to several nodes, one after the other."""
    system = _system(module)

    def place_of(client: Any) -> Place:
        place = getattr(client, "_remora_place", None)
        if type(place) is not Place:
            nodes = client.nodes_manager
            first = nodes.default_node or next(iter(nodes.startup_nodes.values()), None)
            if first is None:
                place = redis_calls.place(system, {})
            else:
                place = redis_calls.placed(system, "0", first.host, int(first.port))
            if nodes.default_node is not None:  # asyncio's clusters find their nodes with their first command
                client._remora_place = place
        return place

    def execute(pipeline: Any, *_: Any, **__: Any) -> Any:
        strategy = getattr(pipeline, "_execution_strategy", pipeline)
        queued = None
        for attribute in ("command_queue", "_command_queue", "command_stack", "_command_stack"):
            queued = getattr(strategy, attribute, None)
            if queued is not None:
                break
        if not queued:
            return None
        word = "MULTI" if "Transaction" in type(strategy).__name__ else "PIPELINE"
        client = getattr(pipeline, "cluster_client", None) or getattr(pipeline, "_client", None) or pipeline
        return redis_calls.pipeline(place_of(client), word, [entry.args for entry in queued])

    client = getattr(module, "RedisCluster" if system == "redis" else "ValkeyCluster")
    patcher.wrap(client, "execute_command", reads=redis_calls.reads(place_of, ""))
    patcher.wrap(module.ClusterPipeline, "execute", reads=execute)


def patch_connection(module: ModuleType, patcher: Patcher) -> None:
    """Blocking connections: ``_connect`` returns the socket."""

    def connecting(original: Any, connection: Any, args: Any, kwargs: Any) -> Any:
        sock = original(*args, **kwargs)
        try:
            redis_calls.connected(connection, sock.getpeername())
        except (AttributeError, OSError):
            return sock  # a test's double, or the server has gone again
        return sock

    patcher.around_method(module.Connection, "_connect", connecting)


def patch_asyncio_connection(module: ModuleType, patcher: Patcher) -> None:
    """Connections of asyncio: ``_connect`` leaves a writer behind."""

    def connecting(original: Any, connection: Any, args: Any, kwargs: Any) -> Any:
        async def run() -> Any:
            result = await original(*args, **kwargs)
            writer = getattr(connection, "_writer", None)
            if writer is not None:
                redis_calls.connected(connection, writer.get_extra_info("peername"))
            return result

        return run()

    patcher.around_method(module.Connection, "_connect", connecting)


def _system(module: ModuleType) -> str:
    return module.__name__.partition(".")[0]
