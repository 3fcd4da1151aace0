"""Which Python is this, and will the one that a command starts read the environment we give it?"""

from __future__ import annotations

import os
import re
import sys

_PYTHON = re.compile(r"python[\d.]*t?$|pypy[\d.]*$")
_TAKES_VALUE = "WX"  # -W action, -X option
_ENDS_OPTIONS = "cm"
_HIDES_US = {
    "I": "-I (isolated)",
    "E": "-E (ignore PYTHON* variables)",
    "S": "-S (no site)",
}


def description() -> str:
    """This interpreter in words: implementation, version, executable."""
    name = sys.implementation.name.replace("cpython", "CPython")
    return f"{name} {'.'.join(str(part) for part in sys.version_info[:3])} ({sys.executable or sys.prefix})"


def hidden_by(command: list[str], path: str) -> str | None:
    """The option by which ``command``, found at ``path``, keeps its Python from reading PYTHONPATH or running site."""
    if _PYTHON.match(os.path.basename(command[0])):
        return _hiding_option(command[1:])
    return _hiding_option(_shebang_options(path))


def _hiding_option(arguments: list[str]) -> str | None:
    remaining = iter(arguments)
    for argument in remaining:
        if argument == "--check-hash-based-pycs":
            next(remaining, None)
        if not argument.startswith("-") or argument == "-":
            return None
        if argument.startswith("--"):
            continue
        for position, letter in enumerate(argument[1:], start=2):
            if letter in _HIDES_US:
                return _HIDES_US[letter]
            if letter in _ENDS_OPTIONS:
                return None
            if letter in _TAKES_VALUE:
                if position == len(argument):
                    next(remaining, None)
                break
    return None


def _shebang_options(path: str) -> list[str]:
    try:
        with open(path, "rb") as script:
            first = script.read(256)
    except OSError:
        return []
    if not first.startswith(b"#!"):
        return []
    words = first[2:].split(b"\n", 1)[0].decode("utf-8", "replace").split()
    while words and not _PYTHON.match(os.path.basename(words[0])):
        words = words[1:]  # /usr/bin/env -S
    return words[1:]
