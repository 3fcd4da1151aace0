"""CPU and time added to a query by sqlite3, psycopg, PyMySQL and redis, beside opentelemetry-instrument and ddtrace.

One row by its key, over one connection. Added is instrumented minus plain, each in the environment of the agent, in
turns; judged is the least minus the least of all rounds. CPU is that of the whole process, exporting included; caller
is the CPU of the thread that waits for the row and latency its time, both the median of the calls. Traces and metrics
are on; contrib has no metrics of databases, which spares it work. Servers are those that run on this machine.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import options, peers, report, variants
from benchmarks.agents import AGENTS, CONTRIB, DATADOG, named, pairs, plain
from benchmarks.report import Section, added, share, times
from benchmarks.rounds import column, interleaved
from benchmarks.sink import Sink
from benchmarks.variants import OURS, Variant

# Driver -> the port of its server; None for one that needs none.
DRIVERS = {
    "sqlite3": None,
    "psycopg": int(os.environ.get("PGPORT", "5432")),
    "pymysql": int(os.environ.get("MYSQL_TCP_PORT", "3306")),
    "redis": 6379,
}
# How much of the CPU that each peer adds ours may add.
DIVISORS = {CONTRIB: 8, DATADOG: 5}
_COUNT, _SETTLE_S = 4000, 1.2
_QUICK_COUNT, _QUICK_SETTLE_S = 50, 0.0

Rounds = dict[str, list[dict[str, Any]]]


def main() -> None:
    asked = options.parse(__doc__, tuple(DRIVERS), rounds=7)
    if reason := variants.remora_is_here():
        raise SystemExit(reason)
    found = peers.prepare_for_databases(asked.peers, asked.peers_dir)
    with Sink() as sink, tempfile.TemporaryDirectory(prefix="remora-benchmark-") as state:
        section = _section(asked, sink, pairs(found.values(), sink.url, Path(state)))
    report.publish("queries", asked, found, [section])


def _section(asked: options.Options, sink: Sink, measured: list[Variant]) -> Section:
    count, settle_s = (_QUICK_COUNT, _QUICK_SETTLE_S) if asked.quick else (_COUNT, _SETTLE_S)
    section = Section(
        "queries",
        f"Added to a query, of {count:,}",
        ("us", "plain", "remora", "contrib", "ddtrace", "contrib is x", "ddtrace is x"),
    )
    for driver, port in DRIVERS.items():
        if not asked.wants(driver):
            continue
        if port is not None and not _answers(port):
            section.notes.append(f"{driver} is left out: nobody answers on 127.0.0.1:{port}")
            continue
        rounds = _rounds(sink, measured, asked.rounds, driver, count, settle_s)
        section.measured[driver] = dict(rounds)
        section.lost += sum(each["spans"] - each["arrived"] for each in rounds[OURS])
        _rows(section, driver, rounds)
        for label in (CONTRIB, DATADOG):
            if any(each["arrived"] < count for each in rounds.get(label, ())):
                section.notes.append(f"{label} tells less than the queries of {driver}")
        if not all(column(rounds, OURS, "metrics")):
            section.notes.append(f"no metrics of {driver} came from {OURS}")
    section.judge()
    return section


def _rounds(sink: Sink, measured: list[Variant], rounds: int, driver: str, count: int, settle_s: float) -> Rounds:
    def measure(variant: Variant) -> dict[str, Any]:
        sink.take()
        told = variant.run("call_database.py", named(variant), driver, count, settle_s)
        taken = sink.take()
        return {**told, "arrived": taken["spans"], "metrics": taken["metrics"]}

    return interleaved(measured, rounds, measure)


def _rows(section: Section, driver: str, rounds: Rounds) -> None:
    for key, what in (("cpu_us", "CPU"), ("caller_us", "caller"), ("latency_us", "latency")):
        costs: dict[str, list[float]] = {}
        cells: dict[str, tuple[str, str, str]] = {}
        for label in AGENTS:
            costs[label], cells[label] = added(column(rounds, label, key), column(rounds, plain(label), key))
        mine = costs[OURS]
        section.rows.append(
            (
                f"query by {driver}, {what}",
                cells[OURS][0],
                *(cells[label][1] for label in AGENTS),
                *(times(costs[label], mine) for label in (CONTRIB, DATADOG)),
            )
        )
        if key == "cpu_us":
            section.claims += [
                share(f"query by {driver}, CPU, part of {label}'s", mine, costs[label], divisor)
                for label, divisor in DIVISORS.items()
            ]


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
    except OSError:
        return False


if __name__ == "__main__":
    main()
