"""gRPC's asyncio server: an interceptor as on the other server, but a handler must stay the kind of function it is.

gRPC tells coroutine functions, asynchronous generators and plain functions apart, and runs the last in threads. What
they return is made into bytes here, inside the span: an answer that cannot be sent is a failed one.
"""

from __future__ import annotations

import asyncio
import inspect

from remora.conventions import errors
from remora_plugins.rpc import grpc_names
from remora_plugins.rpc.grpc_server import Handler, begin, first, gone, kind_of, unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher


_LATE = "DEADLINE_EXCEEDED"


def patch(server: ModuleType, patcher: Patcher) -> None:
    operations = patcher.operations
    admitted: Any = server.ServerInterceptor

    class Interceptor(admitted):  # type: ignore[misc]
        async def intercept_service(self, proceed: Callable[[Any], Awaitable[Any]], details: Any) -> Any:
            handler = await proceed(details)
            if not operations.active:
                return handler
            try:
                return _served(operations, handler, details)
            except Exception as error:
                operations.fault("reads", error)
                return handler

    class Outside:
        create_task = staticmethod(asyncio.ensure_future)

    async def start(begin: Callable[..., Any], args: Any, kwargs: Any) -> None:
        await Outside.create_task(begin(*args, **kwargs))

    patcher.intercept(server.Server, "__init__", first(Interceptor()))
    # The serving task outlives whatever starts the server; nothing of that is to be current in it.
    patcher.isolate(Outside, "create_task")
    patcher.around(server.Server, "start", start)


def _served(operations: Any, handler: Any, details: Any) -> Any:
    if handler is None:
        unknown(operations, details)
        return None
    kind = kind_of(handler)
    behavior = getattr(handler, kind)
    ready = _Serializing(handler.response_serializer)
    if inspect.isasyncgenfunction(behavior):
        around: Any = _generating(operations, behavior, details, ready)
    elif inspect.iscoroutinefunction(behavior):
        around = _awaiting(operations, behavior, details, ready, bool(handler.response_streaming))
    elif handler.response_streaming:
        around = _in_thread_streaming(operations, behavior, details, ready)
    else:
        around = _in_thread(operations, behavior, details, ready)
    served = Handler(handler, kind, around)
    if handler.response_serializer is not None:
        served.response_serializer = ready.serialize
    return served


class _Bytes:
    """A response that is serialised already."""

    __slots__ = ("raw",)

    def __init__(self, raw: bytes) -> None:
        self.raw = raw


class _Serializing:
    """A handler's serialiser, once for each response."""

    __slots__ = ("serializer",)

    def __init__(self, serializer: Callable[[Any], bytes] | None) -> None:
        self.serializer = serializer

    def streamed(self, response: Any) -> Any:
        """The response as bytes; of a text gRPC makes bytes first, so that is left to it."""
        if self.serializer is None or isinstance(response, str):
            return response
        return _Bytes(self.serializer(response))

    def only(self, response: Any, context: Any) -> Any:
        """As ``streamed``, for the one response of a call: with another status than OK it is not sent."""
        if grpc_names.status(context.code()) not in (None, "OK"):
            return response
        return self.streamed(response)

    def serialize(self, response: Any) -> Any:
        """What gRPC calls."""
        if type(response) is _Bytes:
            return response.raw
        return self.serializer(response) if self.serializer is not None else response


def _awaiting(
    operations: Any, behavior: Callable[..., Any], details: Any, ready: _Serializing, streams: bool
) -> Callable[..., Any]:
    async def awaiting(request: Any, context: Any) -> Any:
        running = begin(operations, details, context)
        if running is None:
            return await behavior(request, context)
        try:
            response = await behavior(request, context)
            if not streams:
                response = ready.only(response, context)
        except BaseException as error:
            _over(running, context, error)
            raise
        _over(running, context)
        return response

    return awaiting


def _generating(operations: Any, behavior: Callable[..., Any], details: Any, ready: _Serializing) -> Callable[..., Any]:
    async def generating(request: Any, context: Any) -> AsyncGenerator[Any, None]:
        running = begin(operations, details, context)
        responses = behavior(request, context)
        if running is None:
            async for response in responses:
                yield response
            return
        try:
            while True:
                running.enter()
                try:
                    response = ready.streamed(await responses.__anext__())
                finally:
                    running.leave()
                try:
                    yield response
                except GeneratorExit:
                    running.call.status_code = gone(context)
                    running.end()
                    await responses.aclose()
                    raise
        except StopAsyncIteration:
            _over(running, context)
        except BaseException as error:
            _over(running, context, error)
            raise

    return generating


def _in_thread(operations: Any, behavior: Callable[..., Any], details: Any, ready: _Serializing) -> Callable[..., Any]:
    def answering(request: Any, context: Any) -> Any:
        running = begin(operations, details, context)
        if running is None:
            return behavior(request, context)
        listening = Listening(context)
        try:
            response = ready.only(behavior(request, listening), listening)
        except BaseException as error:
            _over(running, listening, error)
            raise
        _over(running, listening)
        return response

    return answering


def _in_thread_streaming(
    operations: Any, behavior: Callable[..., Any], details: Any, ready: _Serializing
) -> Callable[..., Any]:
    def streaming(request: Any, context: Any) -> Generator[Any, None, None]:
        running = begin(operations, details, context)
        if running is None:
            yield from behavior(request, context)
            return
        listening = Listening(context)
        try:
            responses = iter(behavior(request, listening))
            while True:
                running.enter()
                try:
                    response = ready.streamed(next(responses))
                finally:
                    running.leave()
                yield response
        except StopIteration:
            _over(running, listening)
        except GeneratorExit:
            running.call.status_code = gone(context)
            running.end()
            raise
        except BaseException as error:
            _over(running, listening, error)
            raise

    return streaming


class Listening:
    """A handler's context in a thread: unlike the others it does not tell which status it was given."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self._code: Any = None
        self._details: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def code(self) -> Any:
        return self._code

    def details(self) -> Any:
        return self._details

    def set_code(self, code: Any) -> None:
        self._code = code
        self._context.set_code(code)

    def set_details(self, details: Any) -> None:
        self._details = details
        self._context.set_details(details)

    def abort(self, code: Any, details: Any = "", *args: Any, **kwargs: Any) -> Any:
        self._code, self._details = code, details
        return self._context.abort(code, details, *args, **kwargs)


def _over(running: Any, context: Any, error: BaseException | None = None) -> None:
    try:
        call, code = running.call, grpc_names.status(context.code())
        if error is not None and errors.cancelled(error):
            code, error = code or gone(context), None
        elif type(error).__name__ == "AbortError":
            error = None  # it only unwinds the handler
        if code is None and error is None and isinstance(context, Listening) and gone(context) == _LATE:
            code = _LATE  # nobody stops a thread
        if code is None:
            code = "OK" if error is None else "UNKNOWN"
        call.status_code = code
        call.details = context.details()
    except Exception as fault:
        running.operations.fault("ends", fault)
    running.end(error)
