"""The metrics of the conventions are what the registry says, with the buckets the conventions ask for."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from remora.conventions import metrics
from remora.conventions.metrics import Metric
from support.tree import REPOSITORY

REGISTRY = Path(
    os.environ.get("SEMCONV_REGISTRY", REPOSITORY.parent / "shared" / "data" / "semconv-registry-1.44.0.json")
)
ALL = [metric for metric in vars(metrics).values() if isinstance(metric, Metric)]


@pytest.fixture(scope="module")
def registry():
    if not REGISTRY.exists():
        pytest.skip(f"the convention registry is not at {REGISTRY} (SEMCONV_REGISTRY names another place)")
    return json.loads(REGISTRY.read_text())["metrics"]


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_name_unit_description_and_instrument_are_the_registrys(metric, registry):
    row = registry[metric.name]
    assert (metric.unit, metric.description) == (row["unit"], row["brief"])
    counter = "counter" if metric.monotonic else "updowncounter"
    assert row["instrument"] == ("histogram" if metric.boundaries else counter)


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_every_attribute_that_is_required_or_recommended_is_there_and_no_other(metric, registry):
    attributes = registry[metric.name]["attributes"]
    wanted = {name for name, row in attributes.items() if row["requirement_level"] != "opt_in"}
    assert set(metric.keys) == wanted
    assert len(set(metric.keys)) == len(metric.keys)


def test_buckets_are_those_the_conventions_advise():
    http = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
    assert metrics.HTTP_SERVER_REQUEST_DURATION.boundaries == http
    assert metrics.HTTP_CLIENT_REQUEST_DURATION.boundaries == http
    assert metrics.DB_CLIENT_OPERATION_DURATION.boundaries == (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)
