"""gRPC's server: an interceptor outside the program's own puts a span around each handler."""

from __future__ import annotations

from remora.conventions.rpc import RpcServerCall
from remora_plugins.rpc import grpc_metadata, grpc_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_INTERCEPTORS = 2  # of _Server's arguments: the pool, the handlers, the interceptors
_KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
_OF_HANDLERS = ("request_streaming", "response_streaming", "request_deserializer", "response_serializer", *_KINDS)


def patch(server: ModuleType, patcher: Patcher) -> None:
    patcher.intercept(server._Server, "__init__", first(Interceptor(patcher.operations)))
    patcher.isolate(server, "_start")  # the serving thread outlives whatever starts the server


def first(interceptor: object) -> Callable[..., tuple[tuple[Any, ...], dict[str, Any]]]:
    """Rewrites a server's arguments so that ``interceptor`` comes before the program's."""

    def rewrite(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if len(args) > _INTERCEPTORS:
            own = args[_INTERCEPTORS] or ()
            return (*args[:_INTERCEPTORS], (interceptor, *own), *args[_INTERCEPTORS + 1 :]), kwargs
        return args, {**kwargs, "interceptors": (interceptor, *(kwargs.get("interceptors") or ()))}

    return rewrite


class Handler:
    """A method's handler with another behaviour, for this one call."""

    __slots__ = _OF_HANDLERS

    def __init__(self, handler: Any, kind: str, behavior: object) -> None:
        self.request_streaming = handler.request_streaming
        self.response_streaming = handler.response_streaming
        self.request_deserializer = handler.request_deserializer
        self.response_serializer = handler.response_serializer
        self.unary_unary = self.unary_stream = self.stream_unary = self.stream_stream = None
        setattr(self, kind, behavior)


class Interceptor:
    """Sees each call before the program's interceptors do."""

    def __init__(self, operations: Any) -> None:
        self.operations = operations

    def intercept_service(self, proceed: Callable[[Any], Any], details: Any) -> Any:
        handler = proceed(details)
        if not self.operations.active:
            return handler
        try:
            return self._served(handler, details)
        except Exception as error:
            self.operations.fault("reads", error)
            return handler

    def _served(self, handler: Any, details: Any) -> Any:
        if handler is None:
            unknown(self.operations, details)
            return None
        kind = kind_of(handler)
        behavior = getattr(handler, kind)
        if hasattr(behavior, "experimental_non_blocking"):
            return handler  # it answers by a callback, from wherever and whenever it likes
        answering = (Streaming if handler.response_streaming else Answering)(self.operations, handler, kind, details)
        if hasattr(behavior, "experimental_thread_pool"):
            answering.experimental_thread_pool = behavior.experimental_thread_pool
        served = Handler(handler, kind, answering)
        if handler.response_serializer is not None:
            served.response_serializer = answering.serialize
        return served


def kind_of(handler: Any) -> str:
    """The attribute that holds the handler's behaviour."""
    return _KINDS[2 * bool(handler.request_streaming) + bool(handler.response_streaming)]


def unknown(operations: Any, details: Any) -> None:
    """A call of a method that the server does not have."""
    call = RpcServerCall(grpc_names.SYSTEM, None, grpc_metadata.reader(details.invocation_metadata))
    call.unknown_method = grpc_names.method(details.method)
    call.status_code = "UNIMPLEMENTED"
    running = operations.begin(call)
    if running is not None:
        running.end()


def begin(operations: Any, details: Any, context: Any) -> Any:
    """Starts the call; None when it is not traced. Never raises."""
    try:
        method = grpc_names.method(details.method)
        call = RpcServerCall(grpc_names.SYSTEM, method, grpc_metadata.reader(details.invocation_metadata))
        event = getattr(context, "_rpc_event", None)
        if event is not None and event.call_details.host:
            call.host, call.port = grpc_names.target(event.call_details.host)
        grpc_names.put_peer(call, context.peer())
        return operations.begin(call)
    except Exception as error:
        operations.fault("reads", error)
        return None


class Answering:
    """The behaviour of one call, which is not over before its answer is bytes: a wrong answer is found out then."""

    experimental_thread_pool: Any  # where the program's own behaviour has one, gRPC looks for it here

    def __init__(self, operations: Any, handler: Any, kind: str, details: Any) -> None:
        self._operations = operations
        self._behavior = getattr(handler, kind)
        self._serializer = handler.response_serializer
        self._details = details
        self._context: Any = None
        self._running: Any = None

    def __call__(self, request: Any, context: Any) -> Any:
        running = self._running = begin(self._operations, self._details, context)
        self._context = context
        if running is None:
            return self._behavior(request, context)
        try:
            answer = self._behavior(request, context)
        except BaseException as error:
            _over(running, context, error)
            raise
        running.leave()
        return self._answered(answer)

    def _answered(self, answer: Any) -> Any:
        if self._serializer is None:
            _over(self._running, self._context)
        return answer

    def serialize(self, message: Any) -> Any:
        try:
            serialized = self._serializer(message)
        except BaseException as error:
            if self._running is not None:
                self._running.call.status_code = "INTERNAL"
                self._running.end(error)
            raise
        if self._running is not None:
            self._sent()
        return serialized

    def _sent(self) -> None:
        _over(self._running, self._context)


class Streaming(Answering):
    """Its answers come one by one."""

    def _answered(self, answer: Any) -> Any:
        return Responses(self._running, answer, self._context)

    def _sent(self) -> None:
        """There may be another one."""


class Responses:
    """The answers of one call; gRPC drops them when the client has gone."""

    __slots__ = ("_context", "_responses", "_running")

    def __init__(self, running: Any, responses: Any, context: Any) -> None:
        self._running = running
        self._responses = responses
        self._context = context

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        running = self._running
        running.enter()
        try:
            response = next(self._responses)
        except StopIteration:
            _over(running, self._context)
            raise
        except BaseException as error:
            _over(running, self._context, error)
            raise
        running.leave()
        return response

    def __del__(self) -> None:
        running = self._running
        if not running.over:
            running.call.status_code = gone(self._context)
            running.end(None, wordless=True)


def _over(running: Any, context: Any, error: BaseException | None = None) -> None:
    try:
        state, call = context._state, running.call
        code = grpc_names.status(state.code)
        if code is None and not context.is_active():
            code, error = gone(context), None
        elif state.aborted:
            error = None  # a bare Exception that only unwinds the handler
        if code is None:
            code = "OK" if error is None else "UNKNOWN"
        call.status_code = code
        call.details = state.details
    except Exception as fault:
        running.operations.fault("ends", fault)
    running.end(error)


def gone(context: Any) -> str:
    """Why there is nobody to answer to any more: gRPC tells a server of a client's deadline as of a cancellation."""
    remaining = context.time_remaining()
    return "DEADLINE_EXCEEDED" if remaining is not None and remaining <= 0 else "CANCELLED"
