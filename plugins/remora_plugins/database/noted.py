"""Where connections of C types lead: they take no attributes and no weak references, so it is noted by identity."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_CONNECTIONS = 10_000


class Noted:
    """One note for each connection, made when it is made; what had its identity before is overwritten then.

    Of more than ``_MAX_CONNECTIONS`` the oldest are forgotten, for not every program closes what it is done with.
    """

    def __init__(self) -> None:
        self._notes: dict[int, Any] = {}

    def note(self, connection: Any, what: Any) -> None:
        notes = self._notes
        notes.pop(id(connection), None)
        while len(notes) >= _MAX_CONNECTIONS:
            try:
                del notes[next(iter(notes))]
            except (KeyError, RuntimeError, StopIteration):  # another thread is at it, too
                continue
        notes[id(connection)] = what

    def of(self, connection: Any) -> Any:
        """The note; None for a connection that was made past us."""
        return self._notes.get(id(connection))

    def forget(self, connection: Any, *_: Any, **__: Any) -> None:
        self._notes.pop(id(connection), None)
