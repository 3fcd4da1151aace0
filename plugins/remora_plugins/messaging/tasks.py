"""What task queues share: where their broker is, and which of the program's functions a task runs."""

from __future__ import annotations

from remora.conventions.keys import CODE_FUNCTION_NAME
from remora.conventions.values_cy import exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def redis_place(client: Any) -> tuple[Any, Any]:
    """Host and port of a client of redis-py, both None behind a Unix socket, a sentinel or a cluster."""
    pool = getattr(client, "connection_pool", None)
    if pool is None or "Sentinel" in type(pool).__name__:
        return None, None
    options = getattr(pool, "connection_kwargs", {})
    if options.get("path"):
        return options["path"], None
    return options.get("host") or "localhost", options.get("port") or 6379


def function(name: object) -> dict[str, Any] | None:
    """The attribute for the function's dotted name, or that of a function itself."""
    if callable(name):
        module, qualified = getattr(name, "__module__", None), getattr(name, "__qualname__", None)
        name = f"{module}.{qualified}" if module and qualified else qualified
    text = exact_text(name)
    return {CODE_FUNCTION_NAME: text} if text else None
