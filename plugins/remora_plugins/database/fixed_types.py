"""C types that take neither attributes nor subclasses of ours: their methods are replaced in the type's own dict.

pyodbc and pymssql make connections and cursors by C calls that no factory can turn to a subclass. A proxy around them
would not be of their type; this way they stay what they are, and the program sees the driver's own classes.
"""

from __future__ import annotations

import ctypes
import gc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class FixedType:
    """What a patcher takes for an owner: sets and deletes attributes of a type that refuses it.

    Raises TypeError where the interpreter does not let us at the type's dict; then nothing has been changed.
    """

    __slots__ = ("_attributes", "_type")

    def __init__(self, fixed: type) -> None:
        found = gc.get_referents(vars(fixed))  # of a mappingproxy: the dict it shows
        if len(found) != 1 or type(found[0]) is not dict or found[0].keys() != vars(fixed).keys():
            raise TypeError(f"the attributes of {fixed.__module__}.{fixed.__qualname__} are out of reach")
        object.__setattr__(self, "_type", fixed)
        object.__setattr__(self, "_attributes", found[0])

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        return dict(self._attributes)

    def __getattr__(self, name: str) -> Any:
        """All else is the type's own, ``__mro__`` and ``__qualname__`` too."""
        return getattr(self._type, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._attributes[name] = value
        self._told()

    def __delattr__(self, name: str) -> None:
        del self._attributes[name]
        self._told()

    def _told(self) -> None:
        """Without it the interpreter goes on calling what it remembers."""
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(self._type))


_known: dict[type, FixedType] = {}


def fixed_type(fixed: type) -> FixedType:
    """The same owner each time, by which a patcher knows what it has patched already."""
    found = _known.get(fixed)
    if found is None:
        found = _known[fixed] = FixedType(fixed)
    return found
