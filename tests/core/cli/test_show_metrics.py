"""`remora show --metrics`: what each metric held when it was last told of."""

from __future__ import annotations

import json
import sys

import pytest

from remora.otlp.metrics import MetricBuffer
from remora.store.writer import Writer
from remora.telemetry.metering import Metering
from remora.telemetry.scope import Scope
from support.processes import run


class Measuring:
    """A service that measures and stores."""

    def __init__(self, folder, service, instance, temporality="cumulative"):
        self.store = Writer(str(folder), 1 << 20)
        self.metering = Metering(temporality)
        self.buffer = MetricBuffer({"service.name": service, "service.instance.id": instance})
        self.duration = self.metering.histogram(Scope("acme"), "acme.duration", "s", "", ("acme.color",), (0.1, 1.0))
        self.active = self.metering.counter(Scope("acme"), "acme.active", "{call}", "", (), monotonic=False)

    def told(self):
        self.buffer.extend(self.metering.collect())
        batch = self.buffer.take(100, 1 << 20)
        assert self.store.write("metrics", batch.body(), batch.items)
        self.store.close()


def show(folder, *arguments):
    command = [sys.executable, "-m", "remora", "show", "--metrics", "--store", str(folder), *arguments]
    return run(command, launched=False, env={"COLUMNS": "120"})


@pytest.fixture
def shop(tmp_path):
    return Measuring(tmp_path, "shop", "1")


def test_the_newest_value_of_each_metric_is_shown_by_service(tmp_path, shop):
    shop.duration.record(("red",), 0.2, None)
    shop.active.add((), 3)
    shop.told()
    shop.duration.record(("red",), 0.4, None)
    shop.told()
    stock = Measuring(tmp_path, "stock", "2")
    stock.active.add((), 1)
    stock.told()
    done = show(tmp_path)
    assert (done.exit_code, done.stderr) == (0, "")
    assert [" ".join(line.split()) for line in done.stdout.splitlines()] == [
        "shop",
        "acme.active sum in {call}",
        "3",
        "acme.duration histogram in s",
        "2 times, mean 300 ms, max 400 ms color=red",
        "",
        "stock",
        "acme.active sum in {call}",
        "1",
    ]


def test_only_the_service_that_is_asked_for_is_shown(tmp_path, shop):
    shop.active.add((), 3)
    shop.told()
    assert show(tmp_path, "--service", "shop").stdout.startswith("shop\n")
    done = show(tmp_path, "--service", "stock")
    assert done.exit_code == 1
    assert done.stdout == f"No metrics in {tmp_path}\n"


def test_json_holds_all_of_a_point(tmp_path, shop):
    shop.duration.record(("red",), 0.2, None)
    shop.told()
    (metric,) = json.loads(show(tmp_path, "--json").stdout)["metrics"]
    assert (metric["service"], metric["instance"], metric["scope"]) == ("shop", "1", "acme")
    assert (metric["name"], metric["unit"], metric["kind"]) == ("acme.duration", "s", "histogram")
    assert metric["temporality"] == "cumulative"
    assert metric["attributes"] == {"acme.color": "red"}
    assert (metric["count"], metric["sum"], metric["bucket_counts"]) == (1, 0.2, [0, 1, 0])


def test_two_processes_of_a_service_are_shown_beside_each_other(tmp_path, shop):
    shop.active.add((), 3)
    shop.told()
    other = Measuring(tmp_path, "shop", "2", "delta")
    other.active.add((), 5)
    other.told()
    assert [metric["value"] for metric in json.loads(show(tmp_path, "--json").stdout)["metrics"]] == [3, 5]


def test_a_frame_that_holds_no_metrics_is_told_and_the_others_are_shown(tmp_path, shop):
    shop.active.add((), 3)
    shop.told()
    shop.store.write("metrics", b"\x0a\x7f", 1)
    done = show(tmp_path)
    assert done.exit_code == 0
    assert "acme.active" in done.stdout
    assert "damaged" in done.stderr
    assert "no OTLP metrics" in done.stderr


def test_traces_are_shown_as_ever_where_metrics_lie_beside_them(tmp_path, shop):
    shop.active.add((), 3)
    shop.told()
    done = run([sys.executable, "-m", "remora", "show", "--store", str(tmp_path)], launched=False)
    assert done.exit_code == 0
    assert done.stdout.startswith("No traces in ")
