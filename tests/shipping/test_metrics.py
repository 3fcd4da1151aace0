"""Metrics leave the process: every interval, at the end whichever way it comes, and each process's own only."""

from __future__ import annotations

import json
import time

import pytest

from remora.store.reader import Reader
from support.processes import run_python
from support.receiver import Receiver

PROGRAM = """
import os, sqlite3, sys, time
def work(count=5):
    connection = sqlite3.connect(":memory:")
    for _ in range(count):
        connection.execute("SELECT 1").fetchall()
"""
OWN = """
from opentelemetry import metrics
meter = metrics.get_meter("program", "1.0")
"""
DURATION = "db.client.operation.duration"


def run(receiver, text, own=False, **env):
    code = PROGRAM + (OWN if own else "") + text
    done = run_python(code, env={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, **env})
    assert [line for line in done.stderr.splitlines() if line.startswith("remora:")] == [], done.stderr
    return done


def named(receiver, name):
    return [metric for metric in receiver.metrics() if metric["name"] == name]


def counts(receiver, name=DURATION):
    return [sum(point["count"] for point in metric["points"]) for metric in named(receiver, name)]


WAYS = {
    "return": "work()",
    "sys.exit": "work(); sys.exit(3)",
    "exception": "work(); raise RuntimeError",
    "SIGTERM": "work(); os.kill(os.getpid(), 15); time.sleep(30)",
    "os._exit": "work(); os._exit(4)",
    "exec": "work(); os.execv(sys.executable, [sys.executable, '-c', 'pass'])",
}


@pytest.mark.parametrize("way", WAYS)
def test_what_was_measured_leaves_once_at_the_end(way):
    with Receiver() as receiver:
        run(receiver, WAYS[way])
        assert counts(receiver) == [5]
        assert len(receiver.spans()) == 5


def test_a_metric_has_the_resource_of_its_process_and_the_scope_of_the_instrumentation():
    with Receiver() as receiver:
        run(receiver, "work()", OTEL_SERVICE_NAME="shop")
        (metric,) = named(receiver, DURATION)
        span = receiver.spans()[0]
    assert metric["resource"] == span["resource"]
    assert metric["resource"]["service.name"] == "shop"
    assert metric["scope"]["name"] == "remora.sqlite3"
    assert (metric["type"], metric["unit"], metric["temporality"]) == ("histogram", "s", 2)


def test_without_traces_metrics_leave_all_the_same():
    with Receiver() as receiver:
        run(receiver, "work()", OTEL_TRACES_EXPORTER="none")
        assert (counts(receiver), receiver.spans()) == ([5], [])


def test_calls_that_are_not_sampled_are_measured():
    with Receiver() as receiver:
        run(receiver, "work()", OTEL_TRACES_SAMPLER="always_off")
        (metric,) = named(receiver, DURATION)
        assert receiver.spans() == []
    (point,) = metric["points"]
    assert point["count"] == 5
    assert 0 < point["sum"] < 1


def test_without_a_metrics_exporter_nothing_is_measured_and_the_programs_instruments_do_nothing():
    with Receiver() as receiver:
        text = """
        work()
        meter.create_counter("orders").add(1)
        print("opentelemetry.sdk.metrics" in sys.modules, type(metrics.get_meter_provider()).__name__)
        """.replace("\n        ", "\n")
        done = run(receiver, text, own=True, OTEL_METRICS_EXPORTER="none")
        assert done.stdout.split() == ["False", "_ProxyMeterProvider"]
        assert {request.path for request in receiver.requests} == {"/v1/traces"}


@pytest.mark.parametrize("preference", ["cumulative", "delta"])
def test_each_interval_tells_the_sum_so_far_or_what_is_new(preference):
    text = "\nfor _ in range(3):\n    work(); time.sleep(0.35)\n"
    chosen = {
        "OTEL_METRIC_EXPORT_INTERVAL": "300",
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": preference,
    }
    with Receiver() as receiver:
        run(receiver, text, **chosen)
        seen = counts(receiver)
        temporalities = {metric["temporality"] for metric in named(receiver, DURATION)}
    assert len(seen) >= 2, "only at the end"
    if preference == "cumulative":
        assert (seen, seen[-1]) == (sorted(seen), 15)
        assert temporalities == {2}
    else:
        assert sum(seen) == 15
        assert temporalities == {1}


def test_a_callback_of_the_program_that_fails_costs_only_what_it_observes():
    with Receiver() as receiver:
        run(
            receiver,
            """
def fail(_):
    raise RuntimeError("mine")
meter.create_observable_gauge("broken", callbacks=[fail])
meter.create_counter("orders").add(2)
work()
""",
            own=True,
        )
        assert {metric["name"] for metric in receiver.metrics()} == {"orders", DURATION}


def test_a_forked_child_counts_from_zero_and_nothing_of_its_parents_twice():
    with Receiver() as receiver:
        run(
            receiver,
            """
orders = meter.create_counter("orders")
orders.add(100)
work(10)
pid = os.fork()
if pid == 0:
    orders.add(1)
    work(3)
    os._exit(0)
os.waitpid(pid, 0)
orders.add(100)
work(1)
""",
            own=True,
        )
        by_pid = {
            metric["resource"]["process.pid"]: sum(point["count"] for point in metric["points"])
            for metric in named(receiver, DURATION)
        }
        orders = {
            metric["resource"]["process.pid"]: metric["points"][0]["value"] for metric in named(receiver, "orders")
        }
    assert sorted(by_pid.values()) == [3, 11]
    assert sorted(orders.values()) == [1, 200]
    assert by_pid.keys() == orders.keys()


def test_the_programs_own_instruments_of_all_kinds_leave_with_ours_without_any_set_up():
    with Receiver() as receiver:
        run(
            receiver,
            """
work()
meter.create_counter("orders", unit="1", description="All.").add(2, {"kind": "cup"})
meter.create_up_down_counter("open").add(-1)
meter.create_histogram("size", unit="By").record(12)
meter.create_gauge("level").set(0.5)
meter.create_observable_gauge("seen", callbacks=[lambda _: [metrics.Observation(7)]])
meter.create_observable_counter("ticks", callbacks=[lambda _: [metrics.Observation(8)]])
""",
            own=True,
        )
        found = {metric["name"]: metric for metric in receiver.metrics()}
        requests = [request.path for request in receiver.requests]
    assert found.keys() == {DURATION, "orders", "open", "size", "level", "seen", "ticks"}
    assert found["orders"]["points"] == [{"attributes": {"kind": "cup"}, "value": 2}]
    assert (found["orders"]["monotonic"], found["open"]["monotonic"]) == (True, False)
    assert found["size"]["points"][0]["sum"] == 12
    assert (found["level"]["points"][0]["value"], found["seen"]["points"][0]["value"]) == (0.5, 7)
    assert found["orders"]["scope"] == {"name": "program", "version": "1.0", "attributes": {}}
    assert found["orders"]["resource"] == found[DURATION]["resource"]
    assert requests.count("/v1/metrics") == 1


def test_the_programs_own_instruments_leave_alone_where_nothing_else_is_measured():
    with Receiver() as receiver:
        run(receiver, 'meter.create_counter("orders").add(2)', own=True)
        assert [metric["name"] for metric in receiver.metrics()] == ["orders"]


def test_force_flush_of_the_meter_provider_sends_what_was_measured_and_no_spans():
    with Receiver() as receiver:
        done = run(
            receiver,
            """
meter.create_counter("orders").add(2)
work()
print(metrics.get_meter_provider().force_flush())
import urllib.request
print(time.time())
""",
            own=True,
        )
        assert done.stdout.startswith("True\n")
        assert receiver.requests[0].path == "/v1/metrics"
        assert {metric["name"] for metric in receiver.metrics()} == {"orders", DURATION}


def test_a_program_that_sets_its_own_meter_provider_keeps_it_with_its_views_and_ours_still_leave():
    with Receiver() as receiver:
        done = run(
            receiver,
            """
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import View
reader = InMemoryMetricReader()
provider = MeterProvider([reader], views=[View(instrument_name="orders", name="renamed")])
metrics.set_meter_provider(provider)
print(metrics.get_meter_provider() is provider)
meter.create_counter("orders").add(1)
metrics.get_meter("later").create_counter("orders").add(1)
for scope in reader.get_metrics_data().resource_metrics[0].scope_metrics:
    print(scope.scope.name, [metric.name for metric in scope.metrics])
work()
""",
            own=True,
        )
        assert done.stdout.splitlines() == ["True", "program ['renamed']", "later ['renamed']"]
        assert {metric["name"] for metric in receiver.metrics()} == {DURATION}


def test_where_no_collector_listens_metrics_go_to_the_local_store_with_the_traces(tmp_path):
    code = PROGRAM + "work()"
    env = {"REMORA_STORE_DIR": str(tmp_path), "OTEL_EXPORTER_OTLP_ENDPOINT": ""}
    done = run_python(code, env=env)
    assert done.exit_code == 0
    stored = {each.signal: each for each in Reader(str(tmp_path)).read()}
    assert stored.keys() == {"traces", "metrics"}
    assert stored["metrics"].items == 1


def test_an_endpoint_that_is_down_costs_no_metric(tmp_path):
    env = {"REMORA_STORE_DIR": str(tmp_path), "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    done = run_python(PROGRAM + "work()", env=env)
    assert done.duration_s < 5
    assert {each.signal for each in Reader(str(tmp_path)).read()} == {"traces", "metrics"}


def test_metrics_have_an_endpoint_of_their_own_if_one_is_named():
    with Receiver() as traces, Receiver() as metrics:
        run(traces, "work()", OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=metrics.url + "/v1/metrics")
        assert {request.path for request in traces.requests} == {"/v1/traces"}
        assert counts(metrics) == [5]


def test_too_large_a_request_is_sent_in_halves():
    with Receiver(size_limit_bytes=20_000) as receiver:
        text = """
counter = meter.create_counter("orders")
for number in range(1000):
    counter.add(1, {"number": number})
"""
        run(receiver, text, own=True, OTEL_TRACES_EXPORTER="none")
        points = [point for metric in named(receiver, "orders") for point in metric["points"]]
        assert {request.status for request in receiver.requests} == {200, 413}
    assert sorted(point["attributes"]["number"] for point in points) == list(range(1000))


def test_the_console_gets_metrics_as_json_and_the_network_nothing():
    with Receiver() as receiver:
        done = run(receiver, "work()", OTEL_METRICS_EXPORTER="console")
        (resource,) = json.loads(done.stdout)["resource_metrics"]
        assert {request.path for request in receiver.requests} == {"/v1/traces"}
    (metric,) = resource["scope_metrics"][0]["metrics"]
    assert (metric["name"], metric["data"]["data_points"][0]["count"]) == (DURATION, 5)


def test_the_status_of_a_process_tells_the_books_of_its_metrics():
    with Receiver() as receiver:
        text = """
from opentelemetry import metrics
work()
metrics.get_meter_provider().force_flush()
from remora import bootstrap
import json
report = bootstrap.agent().report()
print(json.dumps([report["books"]["metrics"], report["metrics_exporter"]["state"]]))
"""
        done = run(receiver, text)
    books, state = json.loads(done.stdout)
    assert books == {"produced": 1, "exported": 1, "stored": 0, "queued": 0, "dropped": {}, "balanced": True}
    assert state == "delivering"


def test_an_idle_program_ends_at_once_though_an_interval_is_running():
    with Receiver() as receiver:
        started_s = time.monotonic()
        run(receiver, "work()", OTEL_METRIC_EXPORT_INTERVAL="30000")
        assert time.monotonic() - started_s < 5
        assert counts(receiver) == [5]
