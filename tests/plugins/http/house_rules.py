"""The house's rules as an environment would set them, for instrumentations that are armed already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from remora import bootstrap, settings
from remora.bootstrap.house import House
from remora.conventions import http_server_cy
from remora.operation.propagation import Propagation
from remora.telemetry import propagators

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from remora.testing import Spans


@pytest.fixture
def ruled(spans: Spans) -> Iterator[Callable[..., None]]:
    """``ruled(REMORA_PROPAGATE_TO="*.example.com")`` rules until the test ends."""
    agent = bootstrap.agent()  # which ``spans`` has started
    assert agent is not None
    assembly = agent.assembly
    before = assembly.house, assembly.propagation

    def furnish(house: House, propagation: Propagation) -> None:
        assembly.house, assembly.propagation = house, propagation
        for row in agent.host._rows:
            if row.patcher is not None:
                row.patcher.operations.propagation = propagation
                house.furnish(row.patcher.operations, row)

    def rule(**environ: str) -> None:
        loaded = settings.load(environ)
        assert loaded.problems == ()
        names = loaded.settings.propagators
        furnish(House(loaded.settings), Propagation(names, propagators.further(names)))

    yield rule
    furnish(*before)
    http_server_cy.trust_forwarded(True)
