"""gRPC's client: the channel's own callables, beneath any interceptor, so that each call on the wire is one span.

A call that is answered later ends when its status is in. Nothing of ours may keep a stream alive: gRPC cancels one
that the program drops.
"""

from __future__ import annotations

import weakref

from remora.conventions.rpc import RpcClientCall
from remora_plugins.rpc import grpc_metadata, grpc_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_BLOCKING = ("_UnaryUnaryMultiCallable", "_StreamUnaryMultiCallable")
_STREAMING = (
    "_UnaryStreamMultiCallable",
    "_SingleThreadedUnaryStreamMultiCallable",
    "_StreamStreamMultiCallable",
)


def patch(channel: ModuleType, patcher: Patcher) -> None:
    invoking = Invoking(patcher.operations)
    for name in _BLOCKING:
        kind = getattr(channel, name)
        patcher.around_method(kind, "__call__", invoking.blocking)
        patcher.around_method(kind, "with_call", invoking.blocking)
        patcher.around_method(kind, "future", invoking.later)
    for name in _STREAMING:
        patcher.around_method(getattr(channel, name), "__call__", invoking.later)
    # One thread serves all calls of a channel: it must not go on in the one that happened to start it.
    patcher.isolate(channel, "_run_channel_spin_thread")
    patcher.isolate(channel, "_subscribe")


class Invoking:
    """What runs around the callables: ``blocking`` where they return the answer, ``later`` where they return a call."""

    def __init__(self, operations: Any) -> None:
        self._operations = operations

    def blocking(self, invoke: Callable[..., Any], multicallable: Any, args: Any, kwargs: Any) -> Any:
        running, args, kwargs = self._begun(multicallable, args, kwargs)
        if running is None:
            return invoke(*args, **kwargs)
        try:
            result = invoke(*args, **kwargs)
        except BaseException as error:
            running.end(None if _told(running.call, error) else error)
            raise
        running.call.status_code = "OK"
        running.end()
        return result

    def later(self, invoke: Callable[..., Any], multicallable: Any, args: Any, kwargs: Any) -> Any:
        running, args, kwargs = self._begun(multicallable, args, kwargs)
        if running is None:
            return invoke(*args, **kwargs)
        try:
            rendezvous = invoke(*args, **kwargs)
        except BaseException as error:
            running.end(None if _told(running.call, error) else error)
            raise
        running.leave()
        try:
            ending = Ending(running, rendezvous._state)
            if not rendezvous.add_callback(ending):
                ending()
        except Exception as error:
            self._operations.fault("ends", error)
        return rendezvous

    def _begun(self, multicallable: Any, args: Any, kwargs: Any) -> tuple[Any, Any, Any]:
        try:
            call = described(multicallable._target, multicallable._method)
            running = self._operations.begin(call)
            if call.carrier:
                args, kwargs = grpc_metadata.put(args, kwargs, call.carrier)
        except Exception as error:
            self._operations.fault("reads", error)
            return None, args, kwargs
        return running, args, kwargs


def described(target: bytes, method: bytes) -> RpcClientCall:
    """The call of a method. A channel's ``target()`` must not be asked: once closed, it crashes the process."""
    host, port = grpc_names.target(target)
    return RpcClientCall(grpc_names.SYSTEM, grpc_names.method(method), host=host, port=port, carrier={})


class Ending:
    """Called by gRPC with the status; let go of with the call itself, if the program drops that before."""

    __slots__ = ("_running", "_state")

    def __init__(self, running: Any, state: Any) -> None:
        self._running = running
        self._state = weakref.ref(state)  # which holds this

    def __call__(self) -> None:
        running, state = self._running, self._state()
        if state is not None:
            running.call.status_code = grpc_names.status(state.code) or "OK"
            running.call.details = state.details
        running.end()

    def __del__(self) -> None:
        running = self._running
        if not running.over:
            running.call.status_code = "CANCELLED"
            running.end(None, wordless=True)


def _told(call: RpcClientCall, error: BaseException) -> bool:
    """Whether the exception is the call's status; then there is nothing to say of it that the status does not say."""
    code = getattr(error, "code", None)
    status = grpc_names.status(code()) if callable(code) else None
    if status is None:
        return False
    call.status_code = status
    details = getattr(error, "details", None)
    call.details = details() if callable(details) else None
    return True
