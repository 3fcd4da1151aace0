"""A bounded memory of answers: two generations, so that the answers in use survive and no lock is needed.

Compiled when it can be; the same source either way.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from remora import _cython as cython  # type: ignore[no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COMPILED = cython.compiled


@cython.final
@cython.cclass
class Recent:
    """At most ``2 * entries`` answers weighing about ``2 * weight`` together; the longest unused go first.

    Threads may race: the worst that happens is that an answer is worked out twice.
    """

    if not cython.compiled:
        __slots__ = ("_entries", "_held", "_old", "_weight", "_young")

    def __init__(self, entries: cython.longlong, weight: cython.longlong) -> None:
        self._entries = entries
        self._weight = weight
        self._held = 0
        self._young: dict[Any, Any] = {}
        self._old: dict[Any, Any] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def find(self, key: Any) -> Any:
        """The answer kept under ``key``, or None."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is None:
                return None
            self.keep(key, found[0], found[1])
        return found[0]

    def keep(self, key: Any, value: Any, weight: cython.longlong = 0) -> Any:
        """Remembers ``value``; ``weight`` is its share of the memory, in characters."""
        self._held += weight
        if len(self._young) >= self._entries or self._held > self._weight:
            self._old = self._young
            self._young = {}
            self._held = weight
        self._young[key] = (value, weight)
        return None
