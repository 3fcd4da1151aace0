"""wrapt's FunctionWrapper without wrapt's package: importing all of it costs 130 modules (asyncio among them).

Only the compiled ``wrapt._wrappers`` is needed. Its package is stood in for by an empty module while it loads, which is
gone again afterwards, so that a program that imports wrapt itself gets the whole of it and the same types.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_patched: Any = None


def function_wrapper() -> Any:
    """wrapt's FunctionWrapper, with what a plain function can: be pickled by its name, and copied as itself."""
    global _patched
    if _patched is None:
        _patched = _picklable(*_wrapts_own())
    return _patched


def _picklable(function_wrapper: Any, bound: Any) -> Any:
    def reduce(self: Any, _: int) -> Any:
        return self.__qualname__

    def reduce_bound(self: Any, _: int) -> Any:
        if self._self_instance is None:  # looked up on the class
            return _by_name, (self.__module__, self.__qualname__)
        return getattr, (self._self_instance, self.__name__)

    def same(self: Any, *_: Any) -> Any:
        return self

    copied = {"__copy__": same, "__deepcopy__": same}
    made = type("BoundFunctionWrapper", (bound,), {"__slots__": (), "__reduce_ex__": reduce_bound, **copied})
    own = {"__bound_function_wrapper__": made, "__reduce_ex__": reduce, **copied}
    return type("FunctionWrapper", (function_wrapper,), own)


def _by_name(module: str, qualified_name: str) -> Any:
    found: Any = import_module(module)
    for part in qualified_name.split("."):
        found = getattr(found, part)
    return found


def _wrapts_own() -> tuple[Any, Any]:
    loaded: Any = sys.modules.get("wrapt")
    if loaded is None:
        wrappers = sys.modules.get("wrapt._wrappers") or _compiled_part()
        if wrappers is not None:
            return wrappers.FunctionWrapper, wrappers.BoundFunctionWrapper
        import wrapt  # no compiled part on this machine: the whole package then

        loaded = wrapt
    return loaded.FunctionWrapper, loaded.BoundFunctionWrapper


class _StandIn(ModuleType):
    """What another thread gets that imports wrapt in the very moment: it turns into the real package on first use."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get("wrapt") is self:
            del sys.modules["wrapt"]
        import wrapt

        return getattr(wrapt, name)


def _compiled_part() -> Any:
    spec = PathFinder.find_spec("wrapt")
    if spec is None or not spec.submodule_search_locations:
        return None
    stand_in = _StandIn("wrapt")
    stand_in.__path__ = list(spec.submodule_search_locations)
    stand_in.__spec__ = ModuleSpec("wrapt", None, origin=spec.origin, is_package=True)
    sys.modules["wrapt"] = stand_in
    try:
        return import_module("wrapt._wrappers")
    except Exception:
        # Pure-Python wrapt, or a layout we do not know: the ordinary import will say what is wrong.
        return None
    finally:
        if sys.modules.get("wrapt") is stand_in:
            del sys.modules["wrapt"]
