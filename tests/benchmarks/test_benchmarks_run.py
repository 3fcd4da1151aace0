"""The benchmarks themselves work: they run to the end, say what they measured, and every span of ours arrived."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.counting import datadog_spans, otlp_spans

REPOSITORY = Path(__file__).resolve().parents[2]


def _run(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _measured(benchmark: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(_run("-m", f"tests.benchmarks.{benchmark}", "--quick", "--peers=", "--json"))
    assert result["benchmark"] == benchmark
    return result


@pytest.mark.parametrize(
    ("benchmark", "sections"),
    [
        ("spans", ["cpu", "throughput", "calls", "encode"]),
        ("metrics", ["record"]),
        ("requests_overhead", ["wsgi", "server", "libraries"]),
        ("queries", ["queries"]),
        ("sql", ["cases", "throughput"]),
        ("startup", ["cpu: pass", "cpu: import flask, requests", "contents"]),
        ("stall", ["stall"]),
    ],
)
def test_a_benchmark_measures_ours_without_any_peer_and_loses_nothing(benchmark: str, sections: list[str]) -> None:
    result = _measured(benchmark)

    assert [section["name"] for section in result["sections"]] == sections
    for section in result["sections"]:
        assert any(row[0].startswith(("remora", "request", "query", "pass", "import")) for row in section["rows"])
        assert section["lost"] == 0
        assert [note for note in section["notes"] if note.startswith("no metrics")] == []


def test_what_needs_a_peer_is_not_judged_where_there_is_none() -> None:
    result = json.loads(_run("-m", "tests.benchmarks.spans", "--quick", "--peers=", "--json", "--only=cpu"))

    against_peers = [claim for claim in result["sections"][0]["claims"] if "less than" in claim["claim"]]
    assert len(against_peers) == 3
    assert {claim["met"] for claim in against_peers} == {None}


def test_a_benchmark_runs_by_its_path_as_well_and_prints_a_table() -> None:
    table = _run("tests/benchmarks/spans.py", "--quick", "--peers=", "--only=encode")

    assert "remora, compiled" in table
    assert "target >= 12x: not judged" in table


def test_the_list_of_benchmarks_names_all_of_them() -> None:
    listed = _run("-m", "tests.benchmarks")

    for benchmark in ("spans", "metrics", "requests_overhead", "queries", "sql", "startup", "stall"):
        assert f"python -m tests.benchmarks.{benchmark}" in listed


def test_spans_are_counted_through_every_envelope_of_a_request() -> None:
    span = b"\x12\x02\x2a\x00"  # a field 2 of two bytes
    scope = b"\x12\x08" + span * 2
    resource = b"\x0a\x0a" + scope
    assert otlp_spans(resource + b"\x0a\x00" + resource) == 4


def test_a_request_cut_short_is_not_counted_but_refused() -> None:
    with pytest.raises(ValueError, match="beyond its message"):
        otlp_spans(b"\x0a\x0a\x12\x08")


def test_spans_in_both_of_the_datadog_formats_are_counted() -> None:
    span_as_map = b"\x82\xa1a\x01\xa1b\xcf" + bytes(8)
    assert datadog_spans(b"\x92\x92" + span_as_map * 2 + b"\x91" + span_as_map, "v0.4") == 3
    span_as_array = b"\x93\x00\x01\x81\x02\xcb" + bytes(8)
    assert datadog_spans(b"\x92\x92\xa0\xa1x\x91\x92" + span_as_array * 2, "v0.5") == 2
