"""`remora run`: sets environment variables, then becomes the command: same process, signals, streams and exit code."""

from __future__ import annotations

import os
import sys

from remora_launch import command, environment, interpreter, options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Run ``remora run`` with the words after ``run``; returns only if the command could not be started.

    127: not found; 126: found, but not to be executed; 2: wrong usage (argparse exits by itself).
    """
    asked = options.parse(argv, os.environ)
    variables = environment.additions(os.environ, launched_by=interpreter.description())
    variables.update(asked.variables)
    if asked.print_env:
        if sys.stdout is None:
            return _fail("cannot write the output: stdout is closed", 1)
        sys.stdout.write(options.assignments(variables, asked.print_env))
        return 0
    try:
        path, words = command.resolve(asked.command)
    except command.CommandNotFoundError as fault:
        return _fail(str(fault), 127)
    except command.NotExecutableError as fault:
        return _fail(str(fault), 126)
    hidden_by = interpreter.hidden_by(words, path)
    if hidden_by:
        _say(f"{words[0]} {hidden_by} does not start Remora: this process will not be traced")
    environ = command.launcher_environment()
    environ.update(variables)
    try:
        command.become(path, words, environ)
    except FileNotFoundError:
        return _fail(f"{path}: its interpreter was not found", 127)
    except OSError as fault:
        return _fail(f"{path}: cannot be executed: {fault.strerror}", 126)


def _fail(message: str, exit_code: int) -> int:
    _say(message)
    return exit_code


def _say(message: str) -> None:
    os.write(2, f"remora: {message}\n".encode("utf-8", "backslashreplace"))
