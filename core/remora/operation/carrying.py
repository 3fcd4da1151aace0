"""Taking the current frame along into another thread."""

from __future__ import annotations

from remora.telemetry.spans_cy import current, pop, push, root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class carried:  # noqa: N801 - reads as a function
    """The callable, run later with the frame that is current now; the thread is left as it was found."""

    __slots__ = ("_frame", "_function")

    def __new__(cls, function: Callable[..., Any]) -> Any:
        if current() is root() or not callable(function):
            return function
        return super().__new__(cls)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._frame = current()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        token = push(self._frame)
        try:
            return self._function(*args, **kwargs)
        finally:
            pop(token, self._frame)
