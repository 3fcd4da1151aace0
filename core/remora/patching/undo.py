"""What was patched, and putting it back."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ABSENT: Any = object()


class Undo:
    """Remembers what stood in an owner's own namespace before it was replaced."""

    def __init__(self) -> None:
        self._replaced: list[tuple[Any, str, Any, Any]] = []

    def set(self, owner: Any, attribute: str, value: Any) -> None:
        """Replaces ``owner.attribute``; an inherited attribute is shadowed, not overwritten."""
        original = vars(owner).get(attribute, _ABSENT)
        setattr(owner, attribute, value)
        self._replaced.append((owner, attribute, original, value))

    def holds(self, owner: Any, attribute: str) -> bool:
        """Whether what stands there now is already ours (a module that was reloaded or imported twice)."""
        now = vars(owner).get(attribute, _ABSENT)
        return any(mine is owner and name == attribute and now is value for mine, name, _, value in self._replaced)

    def all(self) -> None:
        """Puts everything back, newest first; what the program replaced since stays the program's."""
        while self._replaced:
            owner, attribute, original, value = self._replaced.pop()
            if vars(owner).get(attribute, _ABSENT) is not value:
                continue
            if original is _ABSENT:
                delattr(owner, attribute)
            else:
                setattr(owner, attribute, original)


def sort_of(body: Any, describers: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a patch does, equal for two that do the same; a plugin's closures are made anew each time it patches."""
    return tuple(_code(one) for one in (body, *describers))


def _code(function: Any) -> Any:
    function = getattr(function, "func", function)  # of a partial
    code = getattr(function, "__code__", None)
    if code is not None:
        return code
    return function if hasattr(function, "__name__") else type(function)
