"""Runs a callback right after a module of a given name was executed; the program does not see that anyone waited.

What a program can see of an import is its spec, its loader, its tracebacks and the lines its warnings point to:

- A loader made for one module (files of source, bytecode, C) stays the very same object; an ``exec_module`` of ours
  stands in its instance for the time between being found and being executed. A loader that serves many modules
  (zip archives, built-in, frozen, other people's) is stood in for during that time. Both are put back before the
  module's first line runs.
- The functions of ours that an import runs through carry the file name of the import system, so that the interpreter
  leaves them out of tracebacks and of ``warnings`` as it does its own.
"""

from __future__ import annotations

import sys
from _frozen_importlib_external import FileLoader
from _thread import get_ident

from remora.diagnostics import say
from remora.host.references import told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any, Final, TypeVar

    Callback = Callable[[ModuleType], object]
    AnyFunction = TypeVar("AnyFunction", bound=Callable[..., object])

NOT_NOW: Final = object()

_IMPORT_SYSTEM = "<frozen importlib._bootstrap>"


def _unseen(function: AnyFunction) -> AnyFunction:
    function.__code__ = function.__code__.replace(co_filename=_IMPORT_SYSTEM)
    return function


class ImportHooks:
    """Callbacks by name of module, and the finder in ``sys.meta_path`` that has them called.

    A callback runs after each execution of its module: the first import, ``importlib.reload``, an import after the
    module was taken out of ``sys.modules``. It gets the module, and may return NOT_NOW to be asked again at one of the
    next imports. Whatever it raises is said and forgotten, except KeyboardInterrupt and SystemExit.
    """

    def __init__(self) -> None:
        self._callbacks: dict[str, list[Callback]] = {}
        self._waiting: set[str] = set()  # never ran
        self._later: list[tuple[str, Callback, ModuleType]] = []
        self._searching: set[tuple[int, str]] = set()

    def install(self) -> None:
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """No callback runs any more."""
        self._callbacks.clear()
        self._waiting.clear()
        self._later.clear()
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def when_imported(self, name: str, callback: Callback) -> None:
        """Have ``callback`` called when module ``name`` is imported; at once if it was imported already."""
        self._callbacks.setdefault(name, []).append(callback)
        module = sys.modules.get(name)
        if module is None:
            self._waiting.add(name)
        elif _is_ready(name, module):
            self._call(name, callback, module)
        else:
            self._waiting.add(name)
            if type(module).__name__ == "_LazyModule":
                self._watch(object.__getattribute__(module, "__dict__")["__spec__"])

    def executed(self, name: str, module: ModuleType) -> None:
        """The module was executed: run its callbacks, on what it left in sys.modules if it replaced itself there."""
        self._waiting.discard(name)
        found = sys.modules.get(name)
        module = module if found is None else found
        for callback in tuple(self._callbacks.get(name, ())):
            self._call(name, callback, module)
        self._catch_up()

    @_unseen
    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        if self._later:
            self._ask_again()
        if name not in self._callbacks:
            return None
        search = (get_ident(), name)
        if search in self._searching:
            return None  # another finder has asked the import system what we have asked it
        self._searching.add(search)
        try:
            spec = self._search(name, path, target)
        finally:
            self._searching.discard(search)
        if spec is not None:
            self._watch(spec)
        return spec

    @_unseen
    def _search(self, name: str, path: Sequence[str] | None, target: Any) -> ModuleSpec | None:
        behind_us = False
        for finder in tuple(sys.meta_path):
            if behind_us:
                # One without find_spec is of the days before Python 3.4: the import system knows what to do with it.
                find_spec = getattr(finder, "find_spec", None)
                spec: ModuleSpec | None = None if find_spec is None else find_spec(name, path, target)
                if find_spec is None or spec is not None:
                    return spec
            behind_us = behind_us or finder is self
        return None

    def _watch(self, spec: Any) -> None:
        """Have the callbacks run after the module of ``spec`` is executed; where that cannot be, when we catch up."""
        try:
            loader = spec.loader
            if loader is None:
                if spec.submodule_search_locations is not None:
                    spec.loader = _NamespaceStandIn(self, spec)
            elif issubclass(type(loader), FileLoader) and loader.name == spec.name:
                loader.exec_module = _Execution(self, loader).exec_module
            elif hasattr(loader, "exec_module"):
                spec.loader = _StandIn(self, spec, loader)
        except Exception as failure:
            name = getattr(spec, "name", "?")
            say(f"host.importhooks.{name}", f"the import of {name} cannot be watched: {told(failure)}", level="debug")

    def _call(self, name: str, callback: Callback, module: ModuleType) -> None:
        try:
            if callback(module) is NOT_NOW:
                self._later.append((name, callback, module))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as failure:
            say(f"host.importhooks.{name}", f"what waited for the import of {name} failed: {told(failure)}")

    def _ask_again(self) -> None:
        later, self._later = self._later, []
        for name, callback, module in later:
            self._call(name, callback, module)

    def _catch_up(self) -> None:
        """Find modules that came in past us, through a finder that was put in front of ours or by hand."""
        for name in tuple(self._waiting):
            module = sys.modules.get(name)
            if module is not None and _is_ready(name, module):
                self.executed(name, module)

    def __repr__(self) -> str:
        return f"<remora import hooks for {len(self._callbacks)} modules>"


def installed() -> ImportHooks:
    """The hooks of this process, made at the first call."""
    global _installed
    if _installed is None:
        _installed = ImportHooks()
    _installed.install()  # again, where the program has set sys.meta_path anew
    return _installed


_installed: ImportHooks | None = None


class _Execution:
    """The ``exec_module`` that stands in one loader until it is called."""

    __slots__ = ("_hooks", "_loader")

    def __init__(self, hooks: ImportHooks, loader: Any) -> None:
        self._hooks = hooks
        self._loader = loader

    @_unseen
    def exec_module(self, module: ModuleType) -> None:
        self._loader.__dict__.pop("exec_module", None)
        self._loader.exec_module(module)
        self._hooks.executed(self._loader.name, module)


class _StandIn:
    """Stands in ``spec.loader`` until the module is executed, and answers everything as the loader does."""

    __slots__ = ("_hooks", "_loader", "_spec")

    def __init__(self, hooks: ImportHooks, spec: Any, loader: Any) -> None:
        self._hooks = hooks
        self._spec = spec
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return self._loader.__class__

    def __repr__(self) -> str:
        return repr(self._loader)

    @_unseen
    def exec_module(self, module: ModuleType) -> None:
        if self._spec.loader is self:
            self._spec.loader = self._loader
        if module.__dict__.get("__loader__") is self:
            module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._hooks.executed(self._spec.name, module)


class _NamespaceStandIn:
    """Stands in ``spec.loader`` of a namespace package, which has none until the import system makes one up."""

    __slots__ = ("_hooks", "_spec")

    def __init__(self, hooks: ImportHooks, spec: ModuleSpec) -> None:
        self._hooks = hooks
        self._spec = spec

    def create_module(self, _: ModuleSpec) -> None:
        return None

    @_unseen
    def exec_module(self, module: ModuleType) -> None:
        import _frozen_importlib

        self._spec.loader = None
        _frozen_importlib._init_module_attrs(self._spec, module, override=True)
        self._hooks.executed(self._spec.name, module)


def _is_ready(name: str, module: ModuleType) -> bool:
    """Whether it is that module, whole, and not another one standing under its name or one that loads when touched."""
    try:
        contents = object.__getattribute__(module, "__dict__")
        if type(module).__name__ == "_LazyModule" or contents.get("__name__") != name:
            return False
        return not getattr(contents.get("__spec__"), "_initializing", False)
    except Exception:  # anything at all may stand in sys.modules
        return False
