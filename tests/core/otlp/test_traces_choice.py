"""Which encoder is used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import remora
from core.otlp.records import TWINS

_SHOW = "from remora.otlp import traces; print(traces.COMPILED, traces.TraceBuffer.__module__)"


def _shown(program: str, **environ: str) -> list[str]:
    variables = {name: value for name, value in os.environ.items() if name != "REMORA_PURE_PYTHON"}
    done = subprocess.run(
        [sys.executable, "-c", program], env={**variables, **environ}, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.skipif(TWINS[1].values[0] is None, reason="the encoder is not compiled here")
def test_the_compiled_encoder_is_used_where_it_was_built() -> None:
    assert _shown(_SHOW) == ["True", "remora.otlp.traces_c"]


def test_the_plain_encoder_is_used_when_asked_for() -> None:
    assert _shown(_SHOW, REMORA_PURE_PYTHON="1") == ["False", "remora.otlp.traces_plain"]


def test_the_plain_encoder_is_used_where_none_was_built() -> None:
    hide = "import sys; sys.modules['remora.otlp.traces_c'] = None; "
    assert _shown(hide + _SHOW) == ["False", "remora.otlp.traces_plain"]


def test_the_plain_encoder_is_used_when_the_span_class_is_plain() -> None:
    plain = "types.SimpleNamespace(Span=type('Span', (), {}))"
    before = f"import sys, types; sys.modules['remora.telemetry.spans_cy'] = {plain}; "
    assert _shown(before + _SHOW) == ["False", "remora.otlp.traces_plain"]


def test_encoding_loads_nothing_heavy() -> None:
    heavy = "{'google', 'opentelemetry', 'dataclasses', 'inspect', 'logging', 'threading', 'json', 'typing'}"
    program = f"import sys, remora.otlp.traces, remora.otlp.traces_plain; print(*(set(sys.modules) & {heavy}))"
    root = str(Path(remora.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],  # -S: what site-packages loads at start is not ours
        env={**os.environ, "PYTHONPATH": root, "REMORA_PURE_PYTHON": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []
