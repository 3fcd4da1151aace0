"""What a failure is called and how it is told: error.type and the status description, the same for every convention."""

from __future__ import annotations

from remora.conventions import redaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

OTHER = "_OTHER"
MAX_DESCRIPTION_CHARS = 512

# Redaction may look a little further than the cut, so that the cut never splits a secret from what gives it away.
_MAX_MESSAGE_CHARS = 2048

# Raised inside a call by whoever gave up waiting for it. By name: importing asyncio, trio or gevent is not for us.
_CANCELLATIONS = frozenset({"CancelledError", "Cancelled", "GreenletExit"})


def type_of(exception: BaseException) -> str:
    """The fully qualified class name; builtins without their module."""
    try:
        kind = type(exception)
        module, name = kind.__module__, kind.__qualname__
        if module == "builtins" or type(module) is not str:
            return name
        return f"{module}.{name}"
    except Exception:
        return OTHER


def cancelled(exception: BaseException) -> bool:
    """Whether the caller gave the call up (task cancelled, generator closed, greenlet killed), which is no error."""
    if isinstance(exception, Exception):
        return False
    if isinstance(exception, GeneratorExit):
        return True
    return any(kind.__name__ in _CANCELLATIONS for kind in type(exception).__mro__)


def description(exception: BaseException | None, redact: Callable[[str], str] = redaction.text) -> str | None:
    """The exception's own message, redacted, at most 512 characters; None when it has none."""
    if exception is None:
        return None
    try:
        message = str(exception)
    except Exception:
        return None
    return redact(message[:_MAX_MESSAGE_CHARS])[:MAX_DESCRIPTION_CHARS] or None
