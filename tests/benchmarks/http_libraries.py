"""The table of what agents add to a request that an application answers, and to one that a client sends."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from benchmarks.agents import AGENTS, CONTRIB, DATADOG, DIVISORS, named, plain
from benchmarks.options import Options
from benchmarks.report import Section, added, share, times
from benchmarks.rounds import column, interleaved
from benchmarks.sink import Sink
from benchmarks.variants import OURS, PROGRAMS, Variant

SERVERS = ("django", "fastapi", "starlette", "aiohttp-server")
CLIENTS = ("requests", "httpx", "aiohttp-client")
LIBRARIES = (*SERVERS, *CLIENTS)
_COUNT, _SETTLE_S = 1000, 1.2
_QUICK_COUNT, _QUICK_SETTLE_S = 30, 0.0

Rounds = dict[str, list[dict[str, Any]]]


def section(asked: Options, sink: Sink, pairs: list[Variant]) -> Section:
    """One row per library and measure; those that were asked for."""
    count, settle_s = (_QUICK_COUNT, _QUICK_SETTLE_S) if asked.quick else (_COUNT, _SETTLE_S)
    table = Section(
        "libraries",
        f"Added to a request, of {count:,}: applications without sockets; clients that are answered at once",
        ("us", "plain", "remora", "contrib", "ddtrace", "contrib is x", "ddtrace is x"),
        notes=["CPU: of the process until all is sent; caller: that of the thread that waits, median"],
    )
    for library in LIBRARIES:
        if asked.wants(library):
            rounds = _rounds(asked, sink, pairs, library, count, settle_s)
            table.measured[library] = dict(rounds)
            table.lost += sum(each["spans"] - each["arrived"] for each in rounds[OURS])
            _rows(table, library, rounds)
            silent = [label for label in (OURS, CONTRIB) if not all(column(rounds, label, "metrics"))]
            table.notes += [f"no metrics of {library} came from {label}" for label in silent]
    table.judge()
    return table


def _rounds(asked: Options, sink: Sink, pairs: list[Variant], library: str, count: int, settle_s: float) -> Rounds:
    def measure(variant: Variant) -> dict[str, Any]:
        sink.take()
        measured = variant.run("call_http.py", named(variant), library, count, settle_s)
        taken = sink.take()
        return {**measured, "arrived": taken["spans"], "metrics": taken["metrics"]}

    return interleaved([_prepared(variant, library) for variant in pairs], asked.rounds, measure)


def _prepared(variant: Variant, library: str) -> Variant:
    """Contrib patches Django only where its settings are found before the program begins."""
    if library != "django":
        return variant
    paths = filter(None, (variant.environ.get("PYTHONPATH", ""), str(PROGRAMS)))
    more = {"DJANGO_SETTINGS_MODULE": "django_settings", "PYTHONPATH": os.pathsep.join(paths)}
    return replace(variant, environ={**variant.environ, **more})


def _rows(table: Section, library: str, rounds: Rounds) -> None:
    for key, what in (("cpu_us", "CPU"), ("caller_us", "caller")):
        costs: dict[str, list[float]] = {}
        cells: dict[str, tuple[str, str, str]] = {}
        for label in AGENTS:
            costs[label], cells[label] = added(column(rounds, label, key), column(rounds, plain(label), key))
        mine = costs[OURS]
        table.rows.append(
            (
                f"{library}, {what}",
                cells[OURS][0],
                *(cells[label][1] for label in AGENTS),
                *(times(costs[label], mine) for label in (CONTRIB, DATADOG)),
            )
        )
        for label, divisor in DIVISORS.items():
            table.claims.append(share(f"{library}, {what}, part of {label}'s", mine, costs[label], divisor))
