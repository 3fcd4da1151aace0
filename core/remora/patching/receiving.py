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
    *,
    awaited: bool = False,
) -> Callable[..., Any]:
    """A wrapper that has ``reads(result, exception, *arguments)`` describe the call when it is over.

    The rest is said at ``Patcher.received``.
    """
    fetches = _Fetches(operations, reads, asks, covers)
    if inspect.iscoroutinefunction(original):

        async def fetched(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
            return await fetches.waiting(time_ns(), wrapped, instance, args, kwargs)

        return fetched

    if awaited:

        def fetching(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
            given, named = fetches.asked(args, kwargs)
            made = wrapped(*given, **named)  # at once, for what it refuses
            return fetches.waiting(time_ns(), lambda *_, **__: made, instance, args, kwargs)

        return fetching

    return fetches.calling


class _Fetches:
    """What is done around each call of one patched function."""

    __slots__ = ("asks", "covers", "operations", "reads")

    def __init__(
        self, operations: Operations, reads: Callable[..., Any], asks: Callable[..., Any] | None, covers: int
    ) -> None:
        self.operations = operations
        self.reads = reads
        self.asks = asks
        self.covers = covers

    def calling(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        began_ns = time_ns()
        given, named = self.asked(args, kwargs)
        covering = self._covering()
        try:
            result = wrapped(*given, **named)
        except BaseException as exception:
            _uncover(covering)
            self._tell(began_ns, None, exception, instance, args, kwargs)
            raise
        _uncover(covering)
        self._tell(began_ns, result, None, instance, args, kwargs)
        return result

    async def waiting(self, began_ns: int, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        given, named = self.asked(args, kwargs)
        covering = self._covering()
        try:
            result = await wrapped(*given, **named)
        except BaseException as exception:
            _uncover(covering)
            self._tell(began_ns, None, exception, instance, args, kwargs)
            raise
        _uncover(covering)
        self._tell(began_ns, result, None, instance, args, kwargs)
        return result

    def asked(self, args: Any, kwargs: Any) -> Any:
        if self.asks is not None and self.operations.active:
            try:
                return self.asks(args, kwargs)
            except Exception as fault:
                self.operations.fault("asks", fault)
        return args, kwargs

    def _covering(self) -> Any:
        """Makes a frame current in which calls of the families ``covers`` are no calls of their own."""
        if not self.covers or not self.operations.active:
            return None
        frame = current()
        covering = frame.child(frame.span)
        covering.open_families = frame.open_families | self.covers
        covering.open_call = None
        return push(covering), covering

    def _tell(
        self, began_ns: int, result: Any, exception: BaseException | None, instance: Any, args: Any, kwargs: Any
    ) -> None:
        if not self.operations.active:
            return
        try:
            subject = () if instance is None else (instance,)
            call = self.reads(result, exception, *subject, *args, **kwargs)
        except Exception as fault:
            self.operations.fault("reads", fault)
            return
        self.operations.passed(call, began_ns, exception)


def _uncover(covering: Any) -> None:
    if covering is not None:
        pop(*covering)
