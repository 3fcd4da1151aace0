"""The `remora` script: finds the command and hands over; `remora run` must not pay for what the others import."""

from __future__ import annotations

import errno
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

# Name, module with a main(argv) -> exit code, and the line in `remora --help`.
COMMANDS: Final = (
    ("run", "remora.cli.launching", "run a program with telemetry: remora run python app.py"),
    ("show", "remora.cli.show.command", "show traces of the local store as trees"),
    ("doctor", "remora.cli.doctor.command", "tell why there are spans, or none: here, in a process, or of a command"),
    ("plugins", "remora.cli.plugins", "list what can be instrumented, and what is on"),
    ("env", "remora.cli.env", "list every variable, its value now, and where that comes from"),
    ("demo", "remora.cli.demo.command", "run a small shop, send it requests, show its traces"),
)
_UNWRITABLE = (errno.ENOSPC, errno.EBADF, errno.EIO, errno.EFBIG, errno.EDQUOT)
_BROKEN_PIPE = 141  # what a shell reports for a program that SIGPIPE ended
_INTERRUPTED = 130
_UNWRITTEN = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command with ``argv`` (the words after `remora`) and return its exit code; 2 is wrong usage."""
    words = list(sys.argv[1:] if argv is None else argv)
    if sys.stdout is None and words[:1] != ["run"]:  # `remora show >&-`; a program may well run without one
        return _unwritten("stdout is closed")
    try:
        try:
            return _main(words)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()  # here, where it is known what to say if that fails
    except BrokenPipeError:
        # `remora show | head`: the reader has seen enough. What Python flushes at its end must not complain either.
        _let_stdout_go()
        return _BROKEN_PIPE
    except OSError as error:
        if error.filename is not None or error.errno not in _UNWRITABLE:
            raise
        _let_stdout_go()
        return _unwritten(error.strerror or str(error))


def _main(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        sys.stdout.write(_overview())
        return 0
    if words[0] in ("-V", "--version"):
        from remora import __version__

        sys.stdout.write(f"remora {__version__}\n")
        return 0
    module = next((module for name, module, _ in COMMANDS if name == words[0]), None)
    if module is None:
        sys.stderr.write(_unknown(words[0]))
        return 2
    return _call(module, words[1:])


def _call(module: str, words: list[str]) -> int:
    from importlib import import_module

    try:
        exit_code: int = import_module(module).main(words)
    except KeyboardInterrupt:
        return _INTERRUPTED
    return exit_code


def _unwritten(why: str) -> int:
    if sys.stderr is not None:
        sys.stderr.write(f"remora: cannot write the output: {why[:1].lower()}{why[1:]}\n")
    return _UNWRITTEN


def _let_stdout_go() -> None:
    """What is left in its buffer goes nowhere, instead of failing once more at the end of the interpreter."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _overview() -> str:
    lines = [
        "usage: remora COMMAND [options]",
        "",
        "Zero-code telemetry for Python services: run a program, see its traces.",
        "",
        "commands:",
        *(f"  {name:<9}{summary}" for name, _, summary in COMMANDS),
        "",
        "`remora COMMAND --help` tells more about one; `remora --version` prints the version.",
    ]
    return "\n".join(lines) + "\n"


def _unknown(word: str) -> str:
    from difflib import get_close_matches  # after a mistake only

    names = [name for name, _, _ in COMMANDS]
    near = get_close_matches(word, names, n=1)
    mend = f"did you mean `remora {near[0]}`?" if near else f"there are {', '.join(names)}"
    return f"remora: {word!a} is no command; {mend}\n"
