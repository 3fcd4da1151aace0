"""The body of a function that fetches messages, plain or coroutine; the plain one is compiled."""

from __future__ import annotations

import inspect
from time import time_ns

from remora.patching.calls_cy import Receiving

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from remora.operation.running_cy import Operations


def body(operations: Operations, original: Callable[..., Any], reads: Callable[..., Any]) -> Callable[..., Any]:
    """A wrapper that has ``reads(result, exception, *arguments)`` describe the call when it is over."""
    receiving = Receiving(operations, reads)
    if not inspect.iscoroutinefunction(original):
        return receiving

    async def fetched(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        began_ns = time_ns()
        try:
            result = await wrapped(*args, **kwargs)
        except BaseException as exception:
            receiving.told(began_ns, None, exception, instance, args, kwargs)
            raise
        receiving.told(began_ns, result, None, instance, args, kwargs)
        return result

    return fetched
