"""Whose telemetry a library's own is"""

from __future__ import annotations

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.trace import TracerProvider

from remora.conventions.native import comes_to_us


@pytest.mark.parametrize("made", [trace.NoOpTracerProvider, trace.NoOpTracer, metrics.NoOpMeterProvider])
def test_what_goes_nowhere_may_be_stood_in_for(made):
    assert comes_to_us(made())


def test_the_global_provider_is_ours_and_so_are_its_tracers_however_they_are_asked_for(spans):
    assert comes_to_us(trace.get_tracer_provider())
    assert comes_to_us(trace.get_tracer("library"))
    assert comes_to_us(trace.ProxyTracerProvider())


@pytest.mark.parametrize("own", [TracerProvider(), TracerProvider().get_tracer("library"), object(), None])
def test_a_programs_own_is_its_own(own):
    assert not comes_to_us(own)


def test_a_tracer_that_passes_on_to_a_programs_own_provider_is_that_ones(spans):
    early = trace.get_tracer("library that passes on")
    assert comes_to_us(early)
    early.delegate = TracerProvider().get_tracer("library")
    assert not comes_to_us(early)
