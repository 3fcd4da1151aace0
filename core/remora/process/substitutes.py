"""Functions of the standard library that we stand in for: what was there, and putting it back."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

_replaced: list[tuple[Any, str, Any, Any]] = []


def substitute(owner: Any, name: str, ours: Any) -> None:
    """``owner.name`` is ``ours`` from now on, until ``undo``."""
    _replaced.append((owner, name, getattr(owner, name), ours))
    setattr(owner, name, ours)


def original(owner: Any, name: str) -> Any:
    """What ``owner.name`` is without us.

    Also where somebody has put a function around ours since, as gevent does with ``os.fork``: that one calls ours.
    """
    for its_owner, its_name, theirs, _ours in _replaced:
        if its_owner is owner and its_name == name:
            return theirs
    return getattr(owner, name)


def undo() -> None:
    """Put back everything that is still ours; for tests."""
    while _replaced:
        owner, name, theirs, ours = _replaced.pop()
        if getattr(owner, name, None) is ours:
            setattr(owner, name, theirs)


def posing_as(theirs: Callable[..., Any]) -> Callable[[F], F]:
    """Give a function the name, module and documentation of the one it stands in for."""

    def pose(ours: F) -> F:
        for attribute in ("__module__", "__name__", "__qualname__", "__doc__"):
            setattr(ours, attribute, getattr(theirs, attribute))
        ours.__annotations__ = {}  # built-ins have none, and `inspect.signature` shows them
        return ours

    return pose
