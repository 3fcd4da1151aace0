"""Everything works the same without the compiled core, only slower."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from support.processes import run_python
from support.tree import REPOSITORY

ROOMS = ("conventions", "operation", "telemetry", "patching", "pipeline")


@pytest.mark.skipif(bool(os.environ.get("REMORA_PURE_PYTHON")), reason="this is that run")
def test_the_rooms_of_the_hot_core_pass_their_tests_as_plain_python():
    rooms = [str(REPOSITORY / "tests" / "core" / room) for room in ROOMS]
    plugins = [str(REPOSITORY / "tests" / "plugins" / name) for name in ("runtime", "database/test_sqlite3.py")]
    plugins.append(str(REPOSITORY / "tests" / "plugins" / "http" / "test_flask.py"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *rooms, *plugins],
        env={**os.environ, "REMORA_PURE_PYTHON": "1"},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout[-4000:]


def test_a_program_under_the_launch_runs_on_plain_python():
    code = """
        from opentelemetry import baggage, context, trace
        tracer = trace.get_tracer("program")
        with tracer.start_as_current_span("outer") as outer:
            token = context.attach(baggage.set_baggage("user", "42"))
            with tracer.start_as_current_span("inner") as inner:
                assert trace.get_current_span() is inner
                assert baggage.get_baggage("user") == "42"
            context.detach(token)
        assert trace.get_tracer_provider().force_flush()
        from remora import bootstrap
        from remora.otlp import traces
        from remora.telemetry import spans_cy
        print(spans_cy.COMPILED, traces.COMPILED, bootstrap.agent().assembly.shipping.line.books.report()["stored"])
    """
    done = run_python(code, env={"REMORA_PURE_PYTHON": "1"})
    assert done.stdout.split() == ["False", "False", "2"], done.stderr
