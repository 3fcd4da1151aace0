"""Which line of a plugin is at fault, and in what words: its author needs that line, not ours that called it."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import CodeType
    from typing import Any

_LONGEST_TEXT = 300


def told(failure: BaseException, modules: Sequence[str]) -> str:
    """Type, redacted text and place of an exception on one line; ``modules`` are those that the plugin patches with."""
    where = place(failure, modules)
    return f"{type(failure).__name__}{_text(failure)}{where and ' at '}{where}"


def place(failure: BaseException, modules: Sequence[str]) -> str:
    """File and line in the plugin; else of its function that could not be called; else where the exception began."""
    frames = list(_frames(failure))
    foreign = [frame for frame in frames if not frame[0]]
    if foreign:
        # The plugin is who we called. The line is the last one of that plugin, not of a library that it calls.
        folder = os.path.dirname(foreign[0][1])
        _, file_name, line = [frame for frame in foreign if os.path.dirname(frame[1]) == folder][-1]
        return f"{file_name}:{line}"
    code = _uncallable(failure, modules)
    if code is not None:
        return f"{code.co_filename}:{code.co_firstlineno}"
    files = [str(getattr(sys.modules.get(name), "__file__", None) or name) for name in modules]
    made_by = f"{' or '.join(files)}" if files else ""
    if not frames:
        return made_by
    _, file_name, line = frames[-1]
    return f"{file_name}:{line}{made_by and ', in what came from '}{made_by}"


def _text(failure: BaseException) -> str:
    from remora.conventions import redaction  # a process without faults need not load it

    try:
        text = redaction.text(" ".join(str(failure)[: 4 * _LONGEST_TEXT].split()))[:_LONGEST_TEXT]
    except Exception:
        return ""
    return text and f": {text}"


def _frames(failure: BaseException) -> Iterator[tuple[bool, str, int]]:
    """Whether it is ours, file and line, from where the exception was caught to where it was raised."""
    traceback = failure.__traceback__
    while traceback is not None:
        frame = traceback.tb_frame
        module = str(frame.f_globals.get("__name__"))
        yield module == "remora" or module.startswith("remora."), frame.f_code.co_filename, traceback.tb_lineno
        traceback = traceback.tb_next


def _uncallable(failure: BaseException, modules: Sequence[str]) -> CodeType | None:
    """The function of the plugin that took other arguments than it was called with, as the interpreter names it."""
    if type(failure) is not TypeError:
        return None
    name, parenthesis, _ = str(failure).partition("()")
    if not parenthesis:
        return None
    for module in modules:
        found: Any = sys.modules.get(module)
        for part in name.split("."):
            found = getattr(found, part, None)
        code: CodeType | None = getattr(found, "__code__", None)
        if code is not None:
            return code
    return None
