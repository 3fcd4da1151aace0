"""A plugin that patches one function twice: the second patch would be lost without a word."""

from __future__ import annotations

import sys
from types import TracebackType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any


class PatchedTwiceError(Exception):
    """Says what was patched already."""


def patched_twice(owner: Any, attribute: str) -> PatchedTwiceError:
    """The fault, as if the plugin's line had raised it."""
    name = f"{getattr(owner, '__qualname__', None) or getattr(owner, '__name__', owner)}.{attribute}"
    failure = PatchedTwiceError(f"{name} is patched by this plugin already, and the first patch counts: make them one")
    frame = _plugin_frame()
    if frame is not None:
        failure.__traceback__ = TracebackType(None, frame, frame.f_lasti, frame.f_lineno)
    return failure


def _plugin_frame() -> FrameType | None:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_ours(frame):
        frame = frame.f_back
    return frame


def _is_ours(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__"))
    return module == "remora" or module.startswith("remora.")
