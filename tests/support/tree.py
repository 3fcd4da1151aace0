"""The source tree the tests belong to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[2]
ROOTS = {"remora": "core", "remora_plugins": "plugins", "remora_launch": "sitecustomize"}


def python_sources() -> Iterator[Path]:
    """Every module that is shipped."""
    for package, root in ROOTS.items():
        yield from sorted((REPOSITORY / root / package).rglob("*.py"))


def sources_of_tests() -> Iterator[Path]:
    yield from sorted((REPOSITORY / "tests").rglob("*.py"))
