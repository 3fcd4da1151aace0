"""Lets the contract, which is written without await, ask an asynchronous driver."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any


class Blocking:
    """An object of an asynchronous driver whose coroutine methods are run to their end on ``loop``."""

    def __init__(self, inner: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.inner = inner
        self.loop = loop

    def cursor(self, *arguments: Any) -> Blocking:
        made = self.inner.cursor(*arguments)
        return Blocking(self.loop.run_until_complete(_awaited(made)) if inspect.isawaitable(made) else made, self.loop)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if not callable(found):
            return found

        def run(*arguments: Any, **named: Any) -> Any:
            result = found(*arguments, **named)
            return self.loop.run_until_complete(_awaited(result)) if inspect.isawaitable(result) else result

        return run


async def _awaited(awaitable: Any) -> Any:
    return await awaitable
