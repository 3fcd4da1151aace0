"""A store's folder and an ear for what is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from remora import diagnostics

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that were said since the test began."""
    lines: list[str] = []
    monkeypatch.setattr(diagnostics, "spoken", {})
    monkeypatch.setattr(diagnostics, "_write", lambda message, level: lines.append(message))
    return lines


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the store will be; it does not exist yet."""
    return tmp_path / "state" / "remora"
