"""aiosqlite: sqlite3 in a thread of the connection's own; sqlite3 reports, this takes the caller's span along."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from remora.api import Patcher


def patch(core: ModuleType, patcher: Patcher) -> None:
    patcher.carry(core.Connection, "_execute", 0, "fn")
    patcher.isolate(core.Connection, "__await__")  # starts the thread, which outlives whoever connects
