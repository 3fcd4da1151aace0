"""Secrets go through every database's client, and none of them leaves in the telemetry: neither in what its calls are
told by nor in what is told of their errors.

What is looked through are the bytes that a collector gets, and what we say on stderr.
"""

from __future__ import annotations

import re
import sys

import pytest

from plugins.database.canary import CLIENTS
from plugins.http.canary import MARK, MISSING
from support.processes import run
from support.receiver import Receiver
from support.servers import missing
from support.tree import REPOSITORY

TESTS = REPOSITORY / "tests"
_NUMBER = b"4711"  # a literal, which is no secret by its looks


@pytest.mark.parametrize("client", CLIENTS)
def test_no_secret_leaves(client):
    with Receiver() as receiver:
        env = {
            "PYTHONPATH": str(TESTS),
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        }
        done = run([sys.executable, "-m", "plugins.database.canary", client], env=env, cwd=TESTS, timeout_s=120)
        if done.exit_code == MISSING:
            missing(done.stdout.strip())
        assert done.exit_code == 0, done.stdout[-4000:] + done.stderr[-4000:]
        spans = receiver.spans()
        bodies = [request.body for request in receiver.requests]
    calls = [span for span in spans if "db.system.name" in span["attributes"]]
    assert len(calls) >= 4
    assert any(span["status"] == "error" for span in calls)
    if client not in _QUIET:
        assert MARK in done.stdout, "no error of the client quotes a secret, so that none was tried"
    told = "\n".join(done.lines_of_ours).encode()
    looked_for = [MARK.encode(), *([] if client in _WITHOUT_LITERALS else [b"VALUES (1, 'c", b", " + _NUMBER])]
    found = [place for body in (*bodies, told) for secret in looked_for for place in _places(body, secret)]
    assert found == []


_WITHOUT_LITERALS = {
    "redis", "valkey", "pymemcache", "pylibmc", "aiomcache", "pymongo", "elasticsearch", "opensearch",
}  # fmt: skip
# Their errors, or those of the stand-in for their server, quote none of what this canary sends.
_QUIET = {"pymongo", "elasticsearch", "opensearch"}


def _places(body: bytes, secret: bytes) -> list[str]:
    """Where a secret stands, with what is around it."""
    return [repr(body[max(at.start() - 160, 0) : at.end() + 60]) for at in re.finditer(re.escape(secret), body)]
