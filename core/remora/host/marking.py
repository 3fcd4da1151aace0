"""pluggy's mark on a hook, set and read without pluggy: importing that takes longer than all the rest of a boot."""

from __future__ import annotations

from types import FunctionType, ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

PROJECT = "remora"
HOOKS = ("instrumentations", "producers")
_MARK = f"{PROJECT}_impl"
# What pluggy.HookimplMarker sets where it is given no options; its managers read it by that name.
_PLAIN = {
    "wrapper": False,
    "hookwrapper": False,
    "optionalhook": False,
    "tryfirst": False,
    "trylast": False,
    "specname": None,
}


def hookimpl(function: Any = None, **options: Any) -> Any:
    """Marks a function as the implementation of a hook, as ``pluggy.HookimplMarker("remora")`` does.

    Takes its options (``specname``, ``optionalhook``...), too; a manifest that uses them is read by pluggy.
    """
    if function is None or options:
        import pluggy  # only for what is not plain

        return pluggy.HookimplMarker(PROJECT)(function, **options)
    setattr(function, _MARK, dict(_PLAIN))
    return function


def plain_hooks(plugin: object) -> dict[str, Callable[[], object]] | None:
    """The hooks of a module whose marked functions are all known, without options and without parameters.

    None for every other plugin: what that one means, and whether it is valid, is for pluggy to say.
    """
    if type(plugin) is not ModuleType:
        return None
    found: dict[str, Callable[[], object]] = {}
    for name, member in vars(plugin).items():
        if type(member) is not FunctionType or _MARK not in member.__dict__:
            continue
        code = member.__code__
        takes_nothing = not (code.co_argcount or code.co_kwonlyargcount) and "__wrapped__" not in member.__dict__
        if name not in HOOKS or member.__dict__[_MARK] != _PLAIN or not takes_nothing:
            return None
        found[name] = member
    return found or None
