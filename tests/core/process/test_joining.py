"""Child processes join their caller's trace, however traces travel between services."""

from __future__ import annotations

import sys

import pytest

from support.processes import run
from support.receiver import Receiver

CHILD = "from opentelemetry import trace; trace.get_tracer('test').start_span('child').end()"
PROGRAMS = {
    "subprocess": f"""
import subprocess, sys
from opentelemetry import trace
with trace.get_tracer("test").start_as_current_span("parent"):
    subprocess.run([sys.executable, "-c", {CHILD!r}], check=True)
""",
    "multiprocessing": f"""
import multiprocessing
from opentelemetry import trace

def work():
    {CHILD}

if __name__ == "__main__":
    with trace.get_tracer("test").start_as_current_span("parent"):
        child = multiprocessing.get_context("spawn").Process(target=work)
        child.start()
        child.join()
""",
}
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def spans_of(code, folder, env):
    """By their names, of all processes of the program."""
    script = folder / "program.py"
    script.write_text(code)
    with Receiver() as receiver:
        done = run([sys.executable, script], env={**env, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url})
        assert (done.exit_code, done.stderr) == (0, "")
        return {span["name"]: span for span in receiver.spans()}


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("propagators", ["tracecontext,baggage", "b3", "b3multi,baggage", "jaeger", "xray", "xray,b3"])
def test_a_child_joins_whichever_propagators_are_configured(tmp_path, program, propagators):
    spans = spans_of(PROGRAMS[program], tmp_path, {"OTEL_PROPAGATORS": propagators})
    assert spans["child"]["trace_id"] == spans["parent"]["trace_id"]
    assert spans["child"]["parent_id"] == spans["parent"]["span_id"]


def test_parent_and_child_need_not_have_the_same_propagators(tmp_path):
    code = PROGRAMS["subprocess"].replace("check=True", "env={**os.environ, 'OTEL_PROPAGATORS': 'jaeger'}, check=True")
    spans = spans_of(f"import os{code}", tmp_path, {"OTEL_PROPAGATORS": "b3"})
    assert spans["child"]["parent_id"] == spans["parent"]["span_id"]


@pytest.mark.parametrize("propagators", ["none", "baggage"])
def test_where_no_trace_travels_a_child_has_a_trace_of_its_own(tmp_path, propagators):
    spans = spans_of(PROGRAMS["subprocess"], tmp_path, {"OTEL_PROPAGATORS": propagators})
    assert spans["child"]["parent_id"] == ""
    assert spans["child"]["trace_id"] != spans["parent"]["trace_id"]


@pytest.mark.parametrize(
    ("propagators", "variables"),
    [
        ("b3", {"B3": f"{TRACE}-{SPAN}-1"}),
        ("b3multi", {"X_B3_TRACEID": TRACE, "X_B3_SPANID": SPAN, "X_B3_SAMPLED": "1"}),
        ("jaeger", {"UBER_TRACE_ID": f"{TRACE}:{SPAN}:0:1"}),
        ("xray", {"X_AMZN_TRACE_ID": f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN};Sampled=1"}),
        ("b3", {"TRACEPARENT": f"00-{TRACE}-{SPAN}-01", "B3": f"{'1' * 32}-{'2' * 16}-1"}),
    ],
)
def test_a_caller_may_name_its_trace_in_the_configured_format(tmp_path, propagators, variables):
    spans = spans_of(CHILD, tmp_path, {"OTEL_PROPAGATORS": propagators, **variables})
    assert (spans["child"]["trace_id"], spans["child"]["parent_id"]) == (TRACE, SPAN)


def test_another_formats_variable_means_nothing_where_it_is_not_configured(tmp_path):
    spans = spans_of(CHILD, tmp_path, {"B3": f"{TRACE}-{SPAN}-1"})
    assert spans["child"]["parent_id"] == ""
