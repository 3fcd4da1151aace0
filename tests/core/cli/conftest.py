"""What the commands find around them in these tests: no settings, no terminal, stores of their own."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from core.cli.distributions import SitePackages
from core.cli.stored import Store
from remora import diagnostics

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith(("OTEL_", "REMORA_")) or name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONPATH"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("REMORA_STORE_DIR", str(tmp_path / "store"))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    diagnostics.listen_from("info")
    diagnostics.spoken.clear()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def site_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SitePackages]:
    """A folder at the front of sys.path that has Remora installed."""
    found = SitePackages(tmp_path / "site-packages")
    found.install_remora()
    monkeypatch.syspath_prepend(found.folder)
    yield found
    sys.modules.pop("acme_manifest", None)
