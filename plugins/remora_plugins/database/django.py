"""Django's database layer, whose drivers report by themselves: only what it asks SQLite for its own log is left out."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher


def patch(operations: ModuleType, patcher: Patcher) -> None:
    """With DEBUG on, it has SQLite quote the parameters of every query that it notes down."""
    if hasattr(operations.DatabaseOperations, "_quote_params_for_last_executed_query"):
        patcher.around_method(operations.DatabaseOperations, "_quote_params_for_last_executed_query", _quoting)


def _quoting(original: Any, operations: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    connection = operations.connection.connection
    if not hasattr(connection, "_remora_untraced"):
        return original(*args, **kwargs)
    connection._remora_untraced = True
    try:
        return original(*args, **kwargs)
    finally:
        connection._remora_untraced = False
