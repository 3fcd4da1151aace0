"""The real sleep and the real threads beneath gevent's and eventlet's patches: the exporter is no greenlet."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def genuine(module: str, name: str) -> Any:
    """`module.name` as the interpreter has it, even if a green library put its own in place."""
    gevent = sys.modules.get("gevent.monkey")
    if gevent is not None:
        return gevent.get_original(module, name)
    eventlet = sys.modules.get("eventlet.patcher")
    if eventlet is not None and eventlet.already_patched:
        return getattr(eventlet.original(module), name)
    return getattr(__import__(module), name)
