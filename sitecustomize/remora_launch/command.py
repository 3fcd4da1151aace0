"""Finding the command and becoming it, the way a shell would, so that the program cannot tell the difference."""

from __future__ import annotations

import errno
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

_PYTHON_FILES = (".py", ".pyw", ".pyz")
_PYTHONS = ("python", "python3", f"python3.{sys.version_info[1]}")


class CommandNotFoundError(Exception):
    pass


class NotExecutableError(Exception):
    pass


def resolve(words: list[str]) -> tuple[str, list[str]]:
    """The file to execute and its argv. A Python file that is no command by itself is run by this interpreter."""
    name = words[0]
    if os.sep in name:
        return _by_path(name, words)
    found = next(_on_path(name), None)
    if found and os.access(found, os.X_OK):
        return found, words
    if _is_python_file(name):
        return sys.executable, [sys.executable, *words]
    # `venv/bin/remora run` without activating the venv means the venv's commands, where there is no other.
    beside_us = os.path.join(os.path.dirname(sys.executable), name)
    for ours in (beside_us, sys.executable if name in _PYTHONS else ""):
        if not found and os.path.isfile(ours) and os.access(ours, os.X_OK):
            return ours, [ours, *words[1:]]
    if found:
        raise NotExecutableError(f"{found}: not executable")
    raise CommandNotFoundError(f"{name}: command not found")


def become(path: str, words: list[str], environ: dict[str, str]) -> NoReturn:
    """Replace this process; raises OSError if the file cannot be executed after all."""
    _default_signals()
    try:
        os.execve(path, words, environ)  # noqa: S606 - that is what `remora run` is for
    except OSError as fault:
        if fault.errno != errno.ENOEXEC:
            raise
    # Without a first line that says what runs it, a Python file is for Python, anything else for the shell.
    runner = sys.executable if path.endswith(_PYTHON_FILES) else "/bin/sh"
    os.execve(runner, [runner, path, *words[1:]], environ)  # noqa: S606 - as above


def launcher_environment() -> dict[str, str]:
    """Our environment without the LC_CTYPE that Python sets for itself in the C locale (PEP 538)."""
    environ = dict(os.environ)
    try:
        with open("/proc/self/environ", "rb") as given:
            given_names = [assignment.split(b"=", 1)[0] for assignment in given.read().split(b"\0")]
    except OSError:
        return environ
    if b"LC_CTYPE" not in given_names:
        environ.pop("LC_CTYPE", None)
    return environ


def _by_path(name: str, words: list[str]) -> tuple[str, list[str]]:
    if not os.path.exists(name):
        raise CommandNotFoundError(f"{name}: no such file")
    runs_by_itself = os.path.isfile(name) and os.access(name, os.X_OK)
    if runs_by_itself:
        return name, words
    if _is_python_file(name):
        return sys.executable, [sys.executable, *words]
    raise NotExecutableError(f"{name}: {'is a directory' if os.path.isdir(name) else 'not executable'}")


def _is_python_file(name: str) -> bool:
    return name.endswith(_PYTHON_FILES) and os.path.isfile(name)


def _on_path(name: str) -> Iterator[str]:
    """Files of that name on PATH, executable ones first."""
    files = [os.path.join(folder, name) for folder in os.get_exec_path()]
    files = [path for path in files if os.path.isfile(path)]
    yield from sorted(files, key=lambda path: not os.access(path, os.X_OK))


def _default_signals() -> None:
    """Python ignores these two from its start, and what is ignored stays ignored through exec."""
    import _signal  # type: ignore[import-not-found]  # what `signal` stands on, without its enums

    for name in ("SIGPIPE", "SIGXFSZ"):
        number = getattr(_signal, name, None)
        if number is not None and _signal.getsignal(number) == _signal.SIG_IGN:
            _signal.signal(number, _signal.SIG_DFL)
