"""Secrets go through every library that has a contract test, and none of them leaves in the telemetry.

What is looked through are the bytes that a collector gets. A new library joins by its contract test.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from plugins.http.canary import MARK, MISSING
from support.processes import run
from support.receiver import Receiver
from support.servers import missing
from support.tree import REPOSITORY

_CONTRACTS = re.compile(r"^class (Test\w+)\((\w+)Contract\):", re.MULTILINE)
TESTS = REPOSITORY / "tests"
_OF_THE_CONTRACT = "hunter2"  # what its applications and requests have for a password


def _libraries():
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        for name, contract in _CONTRACTS.findall(path.read_text()):
            side = "client" if contract == "HttpClient" else "server"
            yield pytest.param(side, f"plugins.http.{path.stem}:{name}", id=f"{side}-{path.stem[5:]}-{name}")
    yield pytest.param("program", "-", id="program")


LIBRARIES = list(_libraries())


def test_every_library_with_a_contract_test_is_looked_through():
    sides = [parameter.values[0] for parameter in LIBRARIES]
    assert sides.count("client") >= 7
    assert sides.count("server") >= 14


@pytest.mark.parametrize(("side", "test"), LIBRARIES)
def test_no_secret_leaves(side, test):
    with Receiver() as receiver:
        env = {
            "PYTHONPATH": str(TESTS),
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        }
        done = run([sys.executable, "-m", "plugins.http.canary", side, test], env=env, cwd=TESTS, timeout_s=120)
        if done.exit_code == MISSING:
            missing(done.stdout.strip())
        assert done.exit_code == 0, done.stdout + done.stderr
        spans = receiver.spans()
        bodies = [request.body for request in receiver.requests]
    kinds = {span["kind"] for span in spans}
    assert {"client": "client", "server": "server", "program": "internal"}[side] in kinds
    assert "attempt" in {span["name"] for span in spans}
    told = "\n".join(done.lines_of_ours).encode()
    found = [
        place for body in (*bodies, told) for secret in (MARK, _OF_THE_CONTRACT) for place in _places(body, secret)
    ]
    assert found == []


def _places(body: bytes, secret: str) -> list[str]:
    """Where a secret stands, with what is around it."""
    return [repr(body[max(at.start() - 80, 0) : at.end() + 40]) for at in re.finditer(secret.encode(), body)]
