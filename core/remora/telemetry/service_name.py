"""A service's name when nobody gave one, guessed from what was started."""

from __future__ import annotations

import os
import sys

# Files that are called alike in every project: the folder says more.
_COMMON_FILES = frozenset(
    {"app", "main", "__main__", "manage", "wsgi", "asgi", "server", "run", "start", "api", "application", "worker"}
)
_COMMON_FOLDERS = frozenset(
    {"", "src", "app", "bin", "code", "scripts", "usr", "home", "root", "tmp", "opt", "srv", "workspace"}
)
# Programs whose argument names the service: "gunicorn shop.wsgi:app" is "shop".
_LAUNCHERS = frozenset(
    {"gunicorn", "uvicorn", "hypercorn", "daphne", "granian", "waitress-serve", "uwsgi", "celery", "flask", "fastapi"}
)
# Options of the launchers that take the application as their value.
_APPLICATION_OPTIONS = ("-A", "--app", "--application")
_ADDRESS_OPTIONS = ("-b", "--bind", "--listen", "--host")


def guess(argv: list[str], main_file: str | None, main_module: str | None) -> str | None:
    """The name by the command line (``sys.orig_argv``), the main script, or the ``-m`` module; None if unknown."""
    launcher = _basename(main_file or "") or (main_module or "").partition(".")[0]
    if main_module and launcher == "__main__":
        launcher = main_module.partition(".")[0]
    if launcher in _LAUNCHERS:
        name = _application(argv, launcher)
        return name or launcher
    if main_module:
        return main_module.removesuffix(".__main__").partition(".")[0] or None
    if not main_file:
        return None
    name = _basename(main_file)
    if name in _COMMON_FILES:
        folder = os.path.dirname(os.path.abspath(main_file))
        while os.path.basename(folder) in _COMMON_FOLDERS and os.path.dirname(folder) != folder:
            folder = os.path.dirname(folder)
        return os.path.basename(folder) or name
    return name or None


def of_this_process() -> str:
    """``guess`` for the running program, else ``unknown_service:<executable>``."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    module = getattr(spec, "name", None)
    if module == "__main__":
        module = None
    name = guess(list(getattr(sys, "orig_argv", sys.argv)), getattr(main, "__file__", None) or _script(), module)
    return name or f"unknown_service:{_basename(sys.executable) or 'python'}"


def _script() -> str | None:
    # Before the main module runs, only the command line knows the script.
    argv = getattr(sys, "argv", None)
    return argv[0] if argv and argv[0] not in ("", "-", "-c", "-m") else None


def _application(argv: list[str], launcher: str) -> str | None:
    seen = False
    previous = ""
    plain = None
    for argument in argv:
        if not seen:
            seen = _basename(argument) == launcher or argument == launcher
            continue
        if previous in _APPLICATION_OPTIONS:
            return _module(argument)
        for option in _APPLICATION_OPTIONS:
            if option.startswith("--") and argument.startswith(option + "="):
                return _module(argument[len(option) + 1 :])
        if argument.startswith("-A") and len(argument) > 2:
            return _module(argument[2:])
        module, colon, _ = argument.partition(":")
        if plain is None and colon and previous not in _ADDRESS_OPTIONS and _is_module(module):
            plain = argument
        previous = argument
    return _module(plain) if plain else None


def _is_module(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


def _module(target: str) -> str | None:
    module = target.partition(":")[0].partition("(")[0]
    if module.endswith(".py"):
        module = _basename(module)
    parts = [part for part in module.split(".") if part]
    for part in parts:
        if part not in _COMMON_FILES:
            return part
    return os.path.basename(os.getcwd()) or (parts[0] if parts else None)


def _basename(path: str) -> str:
    name = os.path.basename(path)
    return name.removesuffix(".py")
