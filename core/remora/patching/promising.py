"""The body of a function that hands over work and returns what will tell how it went: the operation ends with that."""

from __future__ import annotations

import inspect

from remora.patching.calls_cy import arguments, begin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from remora.operation.running_cy import Operations, Running


def body(
    operations: Operations, original: Callable[..., Any], reads: Callable[..., Any], follows: Callable[..., None]
) -> Callable[..., Any]:
    """A wrapper that has ``follows(call, result, over)`` arrange that ``over(exception)`` ends the operation."""

    def followed(running: Running, result: Any) -> None:
        running.leave()  # what the program does next is not inside
        try:
            follows(running.call, result, running.end)
        except Exception as fault:
            operations.fault("follows", fault)
            running.end()

    if inspect.iscoroutinefunction(original):

        async def awaited(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
            running = begin(operations, reads, instance, args, kwargs)
            if running is None:
                return await wrapped(*args, **kwargs)
            args, kwargs = arguments(running, args, kwargs)
            try:
                result = await wrapped(*args, **kwargs)
            except BaseException as exception:
                running.end(exception)
                raise
            followed(running, result)
            return result

        return awaited

    def promised(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        running = begin(operations, reads, instance, args, kwargs)
        if running is None:
            return wrapped(*args, **kwargs)
        args, kwargs = arguments(running, args, kwargs)
        try:
            result = wrapped(*args, **kwargs)
        except BaseException as exception:
            running.end(exception)
            raise
        followed(running, result)
        return result

    return promised
