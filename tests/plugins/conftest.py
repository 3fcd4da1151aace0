"""Spans of a block, for every plugin's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from remora.testing import collect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora.testing import Spans


@pytest.fixture
def spans() -> Iterator[Spans]:
    with collect() as collected:
        yield collected
