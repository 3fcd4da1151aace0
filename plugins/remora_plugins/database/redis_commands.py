"""The commands of Redis as they may be shown: their words, and a question mark for each argument."""

from __future__ import annotations

from remora.conventions.database import MAX_ARGUMENTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Commands whose second word is part of their name.
_CONTAINERS = frozenset(
    {
        "ACL",
        "CLIENT",
        "CLUSTER",
        "COMMAND",
        "CONFIG",
        "DEBUG",
        "FUNCTION",
        "LATENCY",
        "MEMORY",
        "MODULE",
        "OBJECT",
        "PUBSUB",
        "SCRIPT",
        "SENTINEL",
        "SLOWLOG",
        "XGROUP",
        "XINFO",
    }
)
_MAX_WORD_CHARS = 40
_MAX_REMEMBERED = 1024

_operations: dict[Any, tuple[str, int]] = {}


def operation(name: Any) -> str:
    """The command's name as written: GET, CONFIG GET. What else stands in the same text are arguments."""
    return _read(name)[0]


def shown(name: Any, arguments: int) -> str:
    """``SET ? ?``: the command without its arguments, of which ``arguments`` stand apart from it."""
    words, within = _read(name)
    count = arguments + within
    marks = " ?" * min(count, MAX_ARGUMENTS)
    return f"{words}{marks} ..." if count > MAX_ARGUMENTS else words + marks


def _read(name: Any) -> tuple[str, int]:
    found = _operations.get(name)
    if found is None:
        text = name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
        words = text.split(None, 2)
        first = words[0] if words else ""
        if not _is_word(first):
            found = ("?", max(len(text.split()) - 1, 0))
        elif len(words) > 1 and first.upper() in _CONTAINERS and _is_word(words[1]):
            found = (f"{first} {words[1]}", len(text.split()) - 2)
        else:
            found = (first, len(text.split()) - 1)
        if len(_operations) < _MAX_REMEMBERED:
            _operations[name] = found
    return found


def _is_word(text: str) -> bool:
    plain = text.replace(".", "").replace("_", "").replace("-", "")
    return 0 < len(text) <= _MAX_WORD_CHARS and plain.isascii() and plain.isalnum() and plain[:1].isalpha()
