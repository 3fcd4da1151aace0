"""The bodies that run around a patched function: which fits, and those of coroutine functions and generators.

A frame is only current while the wrapped function really runs: across a ``yield`` it is taken off, so that a generator
which is abandoned, cancelled or closed elsewhere leaves nothing behind in anybody's context.
"""

from __future__ import annotations

import inspect

from remora.patching.calls_cy import AroundCall, AroundStream, Over, arguments, begin, complete, doubled, needs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from typing import Any

    from remora.operation.running_cy import Operations, Running

    Reads = Callable[..., Any]
    Ends = Callable[..., Any]


def body(operations: Operations, function: Any, reads: Reads, ends: Ends | None, streams: bool) -> Callable[..., Any]:
    """The wrapper for wrapt, fitting what kind of function it is."""
    inner = inspect.unwrap(function) if hasattr(function, "__wrapped__") else function
    inner = getattr(inner, "__func__", inner)
    if inspect.iscoroutinefunction(inner):
        return _around_coroutine(operations, reads, ends)
    if inspect.isasyncgenfunction(inner):
        return _around_async_generator(operations, reads, ends)
    if inspect.isgeneratorfunction(inner):
        return _around_generator(operations, reads, ends)
    return AroundStream(operations, reads, ends) if streams else AroundCall(operations, reads, ends)


def _arguments(running: Running, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """What to call a coroutine function with; ``serving`` also gets the means to end the call before it returns."""
    serving = getattr(running.call, "serving", None)
    if serving is None:
        return arguments(running, args, kwargs)
    try:
        changed: tuple[Any, Any] = serving(args, kwargs, Over(running))
        return changed
    except Exception as error:
        running.operations.fault("arguments", error)
    return args, kwargs


def _around_coroutine(operations: Operations, reads: Reads, ends: Ends | None) -> Callable[..., Any]:
    family: int = getattr(reads, "serves", 0)
    needed = needs(reads)

    def around_coroutine(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        if doubled(operations, family):
            return wrapped(*args, **kwargs)
        # Without arguments it must fail at once if it needs some: uvicorn tells a factory from an application by that.
        made = None if args or kwargs else wrapped()
        return run(wrapped, made, instance, args, kwargs)

    async def run(wrapped: Any, made: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        running = begin(operations, reads, instance, args, kwargs, needed)
        if running is None:
            return await (wrapped(*args, **kwargs) if made is None else made)
        args, kwargs = _arguments(running, args, kwargs)
        try:
            result = await (wrapped(*args, **kwargs) if made is None else made)
        except BaseException as error:
            running.end(error)
            raise
        else:
            complete(running, ends, result)
            return result
        finally:
            running.leave()  # the call may have been over before

    return around_coroutine


def _around_generator(operations: Operations, reads: Reads, ends: Ends | None) -> Callable[..., Any]:
    def around_generator(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        def run() -> Generator[Any, Any, Any]:
            running = begin(operations, reads, instance, args, kwargs)
            generator = wrapped(*args, **kwargs)
            if running is None:
                return (yield from generator)
            return (yield from _stepping(running, generator, ends))

        return run()

    return around_generator


def _stepping(running: Running, generator: Any, ends: Ends | None) -> Generator[Any, Any, Any]:
    sent: Any = None
    thrown: BaseException | None = None
    try:
        while True:
            running.enter()
            try:
                if thrown is not None:
                    pending, thrown = thrown, None
                    item = generator.throw(pending)
                else:
                    item = generator.send(sent) if sent is not None else next(generator)
            finally:
                running.leave()
            try:
                sent = yield item
            except GeneratorExit:
                running.enter()
                try:
                    generator.close()
                finally:
                    running.leave()
                raise
            except BaseException as error:
                thrown, sent = error, None
    except StopIteration as stop:
        complete(running, ends, stop.value)
        return stop.value
    except GeneratorExit:
        running.end()
        raise
    except BaseException as error:
        running.end(error)
        raise


def _around_async_generator(operations: Operations, reads: Reads, ends: Ends | None) -> Callable[..., Any]:
    def around_async_generator(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        async def run() -> AsyncGenerator[Any, Any]:
            running = begin(operations, reads, instance, args, kwargs)
            generator = wrapped(*args, **kwargs)
            sent: Any = None
            thrown: BaseException | None = None
            try:
                while True:
                    if running is not None:
                        running.enter()
                    try:
                        if thrown is not None:
                            pending, thrown = thrown, None
                            item = await generator.athrow(pending)
                        else:
                            item = await generator.asend(sent)
                    finally:
                        if running is not None:
                            running.leave()
                    try:
                        sent = yield item
                    except GeneratorExit:
                        if running is not None:
                            running.end()
                        await generator.aclose()
                        raise
                    except BaseException as error:
                        thrown, sent = error, None
            except StopAsyncIteration:
                if running is not None:
                    complete(running, ends, None)
            except BaseException as error:
                if running is not None:
                    running.end(error)
                raise

        return run()

    return around_async_generator
