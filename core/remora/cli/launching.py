"""The one place that knows the launch: a layer above the core, and so reached by name, never by an import statement."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final

_LAUNCH: Final = "remora_launch"


def main(argv: Sequence[str]) -> int:
    """`remora run`: becomes the command; returns only if that could not be started."""
    return int(_room("cli").main(argv))


def folder() -> str:
    """The folder on PYTHONPATH that starts Remora in a Python."""
    return str(_room("environment").ONPATH)


def hidden_by(command: list[str], path: str) -> str | None:
    """The interpreter option in ``command`` (found at ``path``) that keeps its Python from starting Remora."""
    found: str | None = _room("interpreter").hidden_by(command, path)
    return found


def _room(name: str) -> Any:
    return import_module(f"{_LAUNCH}.{name}")
