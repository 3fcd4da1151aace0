"""The body of a function that fetches messages: only its end tells whether there was one, and so whether to tell."""

from __future__ import annotations

import inspect
from time import time_ns

from remora.telemetry.spans_cy import current, pop, push

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from remora.operation.running_cy import Operations


def body(
    operations: Operations,
    original: Callable[..., Any],
    reads: Callable[..., Any],
    asks: Callable[..., Any] | None = None,
    covers: int = 0,
    awaited: bool = False,
) -> Callable[..., Any]:
    """A wrapper that has ``reads(result, exception, *arguments)`` describe the call when it is over.

    The rest is said at ``Patcher.received``.
    """

    def told(
        began_ns: int, result: Any, exception: BaseException | None, instance: Any, args: Any, kwargs: Any
    ) -> None:
        if not operations.active:
            return
        try:
            subject = () if instance is None else (instance,)
            call = reads(result, exception, *subject, *args, **kwargs)
        except Exception as fault:
            operations.fault("reads", fault)
            return
        operations.passed(call, began_ns, exception)

    def asked(args: Any, kwargs: Any) -> Any:
        if asks is not None and operations.active:
            try:
                return asks(args, kwargs)
            except Exception as fault:
                operations.fault("asks", fault)
        return args, kwargs

    async def waited(made: Any, began_ns: int, instance: Any, args: Any, kwargs: Any) -> Any:
        covering = _covering(operations, covers)
        token = push(covering) if covering is not None else None
        try:
            result = await made
        except BaseException as exception:
            if covering is not None:
                pop(token, covering)
            told(began_ns, None, exception, instance, args, kwargs)
            raise
        if covering is not None:
            pop(token, covering)
        told(began_ns, result, None, instance, args, kwargs)
        return result

    if inspect.iscoroutinefunction(original):

        async def fetched(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
            began_ns = time_ns()
            given, named = asked(args, kwargs)
            return await waited(wrapped(*given, **named), began_ns, instance, args, kwargs)

        return fetched

    if awaited:

        def fetching(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
            given, named = asked(args, kwargs)
            return waited(wrapped(*given, **named), time_ns(), instance, args, kwargs)

        return fetching

    def received(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        began_ns = time_ns()
        given, named = asked(args, kwargs)
        covering = _covering(operations, covers)
        token = push(covering) if covering is not None else None
        try:
            result = wrapped(*given, **named)
        except BaseException as exception:
            if covering is not None:
                pop(token, covering)
            told(began_ns, None, exception, instance, args, kwargs)
            raise
        if covering is not None:
            pop(token, covering)
        told(began_ns, result, None, instance, args, kwargs)
        return result

    return received


def _covering(operations: Operations, families: int) -> Any:
    """What is current while calls of ``families`` are no calls of their own; None to leave what is."""
    if not families or not operations.active:
        return None
    frame = current()
    covering = frame.child(frame.span)
    covering.open_families = frame.open_families | families
    covering.open_call = None
    return covering
