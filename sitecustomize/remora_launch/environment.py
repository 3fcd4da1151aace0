"""The environment variables that carry us into a program: all that `remora run` does, all that an injector needs."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

ONPATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "onpath")


def additions(environ: Mapping[str, str], launched_by: str | None = None) -> dict[str, str]:
    """What to set, on top of ``environ``, so that every Python below it starts Remora.

    PYTHONPATH gets our folder first and keeps what it had. ``launched_by`` describes the interpreter Remora is
    installed for; another one that cannot load it names it when it stands down.
    """
    added = {"PYTHONPATH": with_onpath(environ.get("PYTHONPATH", ""))}
    if launched_by is not None:
        added["REMORA_LAUNCHED_BY"] = launched_by
    return added


def with_onpath(pythonpath: str) -> str:
    """``pythonpath`` with our folder once, in front. An empty entry is kept: it means the working directory."""
    return os.pathsep.join([ONPATH, *_others(pythonpath)])


def disarm(environ: MutableMapping[str, str], onpath: str = ONPATH) -> None:
    """Undo ``additions``: what children get is as if we had never been."""
    environ.pop("REMORA_LAUNCHED_BY", None)
    others = _others(environ.pop("PYTHONPATH", ""), onpath)
    if others:
        environ["PYTHONPATH"] = os.pathsep.join(others)


def _others(pythonpath: str, onpath: str = ONPATH) -> list[str]:
    if not pythonpath:
        return []  # Python takes an empty PYTHONPATH for none, but an empty entry for the working directory
    return [entry for entry in pythonpath.split(os.pathsep) if not entry or os.path.abspath(entry) != onpath]
