"""Where the commands print: rich on a terminal, the same layout as plain and stable text anywhere else."""

from __future__ import annotations

import os
import sys
import textwrap

from rich.console import Console
from rich.text import Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

_PLAIN_WIDTH: Final = 100
_NARROWEST: Final = 40
_BEYOND_ASCII = str.maketrans(
    dict(zip("µ…·●✓✗━├└─│→", "u~,*+x=|`-|>", strict=True))  # one for one, so that columns stay
)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Lets the error pass: the `remora` script ends as a shell's programs do."""
        raise  # noqa: PLE0704 - rich calls this while it handles the BrokenPipeError


class Terminal:
    """Prints lines of styled text, cut to the width. ``width`` is that of the terminal, or 100 where there is none.

    Colours follow NO_COLOR and FORCE_COLOR; where the encoding lacks line-drawing characters, ASCII stands in.
    """

    def __init__(self, file: Any = None) -> None:
        out = file or sys.stdout
        width = None if out.isatty() else _columns()
        self._console = _Console(file=out, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)
        self._ascii = not _draws(getattr(out, "encoding", None) or "utf-8")
        self.width = max(_NARROWEST, self._console.width)

    def line(self, *parts: str | tuple[str, str] | Text, cut: bool = True) -> None:
        """One line; with ``cut`` it ends in … where the width ends, else the terminal wraps it."""
        text = Text.assemble(*parts)
        if cut:
            text.truncate(self.width, overflow="ellipsis")
        if self._ascii:
            text.plain = text.plain.translate(_BEYOND_ASCII).encode("ascii", "replace").decode()
        text.rstrip()
        self._console.print(text, no_wrap=True, overflow="ignore", crop=False, soft_wrap=True)

    def paragraph(self, text: str, style: str = "") -> None:
        """Wrapped at the width."""
        for line in _wrapped(text, self.width):
            self.line((line, style), cut=False)

    def hanging(self, mark: tuple[str, str], text: str) -> None:
        """A mark and a text beside it, wrapped at the width so that its lines stand below each other."""
        indent = min(len(mark[0]), 4)
        first, *others = _wrapped(text, self.width - indent, taken=len(mark[0]) - indent)
        self.line(mark, first, cut=False)
        for line in others:
            self.line(" " * indent, line, cut=False)


def _wrapped(text: str, width: int, taken: int = 0) -> list[str]:
    """Lines of at most ``width``; ``taken`` columns of the first one are not free."""
    lines = textwrap.wrap(" " * taken + text, width, break_long_words=False, break_on_hyphens=False)
    return [lines[0][taken:], *lines[1:]] if lines else [""]


def clean(text: str) -> str:
    """Text of a program's telemetry as it may reach a terminal: no control characters, on one line."""
    text = " ".join(text.split())
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _columns() -> int:
    try:
        return max(_NARROWEST, int(os.environ["COLUMNS"]))
    except (KeyError, ValueError):
        return _PLAIN_WIDTH


def _draws(encoding: str) -> bool:
    try:
        "├─━µ…✗".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
