"""concurrent.futures: a pool's thread runs each task in the context of the code that submitted it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from remora.api import Patcher


def patch(thread: ModuleType, patcher: Patcher) -> None:
    patcher.isolate(thread.ThreadPoolExecutor, "_adjust_thread_count")
    patcher.carry(thread.ThreadPoolExecutor, "submit", 0, "fn")
