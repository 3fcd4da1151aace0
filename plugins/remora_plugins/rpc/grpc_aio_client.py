"""gRPC's asyncio client: a call object is made for each call on the wire, beneath any interceptor.

Its tasks are created with it, so what is current then is current in them.
"""

from __future__ import annotations

import weakref

from remora_plugins.rpc import grpc_metadata, grpc_names
from remora_plugins.rpc.grpc_client import described

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.rpc import RpcClientCall


def patch(calls: ModuleType, patcher: Patcher) -> None:
    operations = patcher.operations

    def begun(args: Any, kwargs: Any) -> tuple[Any, Any, Any]:
        try:
            call = _request(*args, **kwargs)
            running = operations.begin(call)
            if call.carrier:
                args, kwargs = grpc_metadata.put(args, kwargs, call.carrier)
        except Exception as error:
            operations.fault("reads", error)
            return None, args, kwargs
        return running, args, kwargs

    def make(init: Callable[..., None], call: Any, args: Any, kwargs: Any) -> None:
        running, args, kwargs = begun(args, kwargs)
        if running is None:
            init(*args, **kwargs)
            return
        try:
            init(*args, **kwargs)
        except BaseException as error:
            running.end(error)
            raise
        running.leave()
        try:
            call._cython_call.add_done_callback(Ending(running, call))
        except Exception as error:
            operations.fault("ends", error)

    for kind in (calls.UnaryUnaryCall, calls.UnaryStreamCall, calls.StreamUnaryCall, calls.StreamStreamCall):
        patcher.around_method(kind, "__init__", make)


def _request(
    _: object,
    deadline: object,
    metadata: object,
    credentials: object,
    wait_for_ready: object,
    channel: Any,
    method: bytes,
    *__: object,
    **___: object,
) -> RpcClientCall:
    return described(channel.target, method)


class Ending:
    """Called by gRPC when the status is in; it must not keep the call alive, which is cancelled when it is dropped."""

    __slots__ = ("_call", "_running")

    def __init__(self, running: Any, call: Any) -> None:
        self._running = running
        self._call = weakref.ref(call)

    def __call__(self) -> None:
        running, call = self._running, self._call()
        if running.over:
            return
        record = running.call
        try:
            if call is None:
                record.status_code = "CANCELLED"
            elif call._cython_call.is_ok():
                record.status_code = "OK"
            else:
                record.status_code = grpc_names.status(_at_once(call.code())) or "OK"
                record.details = _at_once(call.details())
        except Exception as error:
            running.operations.fault("ends", error)
        running.end()

    def __del__(self) -> None:
        running = self._running
        if not running.over:
            running.call.status_code = "CANCELLED"
            running.end(None, wordless=True)


def _at_once(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    return None
