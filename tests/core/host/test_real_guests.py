"""The real thing: instrumentors of opentelemetry-contrib, installed by pip, as guests of a real program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import Any

import pytest

PROGRAM = """
    import json, sys
    from types import SimpleNamespace
    from remora.host.host import Host

    class Patcher:
        def __init__(self, row): pass
        def undo(self): pass

    host = Host()
    denied = tuple(sys.argv[1].split(","))
    host.arm(SimpleNamespace(
        instrumentations=("*",), disabled_instrumentations=denied, quarantine_after=3), Patcher)
    early = sorted(name for name in sys.modules if name.partition(".")[0] in ("opentelemetry", "requests", "sqlite3"))

    import sqlite3
    only_sqlite = "requests" not in sys.modules
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(provider)

    connection = sqlite3.connect(":memory:")
    connection.cursor().execute("SELECT 1")
    import requests
    try:
        requests.get("http://localhost:1/", timeout=1)
    except requests.ConnectionError:
        pass
    states = {f"{row.kind}:{row.name}": row.state for row in host.report()}
    names = [span.name for span in spans.get_finished_spans()]
    print(json.dumps({"early": early, "only_sqlite": only_sqlite, "states": states, "names": names}))
"""


@pytest.fixture(scope="module")
def contrib(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with requests, the instrumentors for it and for sqlite3, and the OpenTelemetry they ask for."""
    folder = str(tmp_path_factory.mktemp("contrib"))
    packages = [f"opentelemetry-instrumentation-{library}" for library in ("sqlite3", "requests")]
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--target",
        folder,
        *packages,
        "opentelemetry-sdk",
        "requests",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    if done.returncode:
        pytest.skip(f"pip cannot install opentelemetry-contrib here: {done.stderr[-300:]}")
    return folder


@pytest.fixture
def run(contrib: str, tmp_path: Any) -> Any:
    def run(denied: str) -> Any:
        script = tmp_path / "program.py"
        script.write_text(textwrap.dedent(PROGRAM))
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join([contrib, *sys.path])}
        done = subprocess.run(
            [sys.executable, str(script), denied], env=environ, capture_output=True, text=True, timeout=60, check=True
        )
        assert "remora: " not in done.stderr
        return json.loads(done.stdout)

    return run


def test_guests_trace_what_no_plugin_of_ours_does(run: Any) -> None:
    told = run("plugin:*")
    assert told["early"] == []
    assert told["only_sqlite"]
    assert told["states"]["guest:sqlite3"] == told["states"]["guest:requests"] == "patched"
    assert len(told["names"]) == 2
    assert {"SELECT", "GET"} == set(told["names"])


def test_denied_guests_stay_out(run: Any) -> None:
    told = run("plugin:*,requests")
    assert told["states"]["guest:sqlite3"] == "patched"
    assert told["states"]["guest:requests"] == "disabled"
    assert told["names"] == ["SELECT"]
