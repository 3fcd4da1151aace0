"""The conventions' own data, which lies beside the repository and is not shipped."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from support.tree import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = REPOSITORY.parent / "shared" / "data"


@pytest.fixture(scope="session")
def reference() -> Callable[[str], Any]:
    """Reads one of the reference files; without them the test is skipped, in CI it fails."""

    def read(name: str) -> Any:
        path = DATA / name
        if path.exists():
            return json.loads(path.read_text())
        reason = f"the conventions' reference data is not at {path}"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason)
        pytest.skip(reason)

    return read


@pytest.fixture(scope="session")
def registry(reference: Callable[[str], Any]) -> Any:
    """The resolved registry of the semantic conventions."""
    return reference("semconv-registry-1.44.0.json")
