"""Time added to a request, by server and client libraries, and to a query, beside opentelemetry-instrument and ddtrace.

Added is instrumented minus plain, each in the environment of the agent, in turns; judged is the least minus the least
of all rounds. CPU is that of the whole process, exporting included; latency is the median of what the caller waits.
Traces and metrics are on, nobody sends logs; metrics leave once, at the end. Flask's page and its queries (SELECT by
primary key in memory, twenty to a page) are the section wsgi. Conventions are each one's default.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import http_libraries, options, peers, report, variants
from benchmarks.agents import AGENTS, DIVISORS, named, pairs, plain
from benchmarks.report import Section, added, share, times
from benchmarks.rounds import column, interleaved
from benchmarks.sink import Sink
from benchmarks.variants import OURS, PROGRAMS, ProgramError, Variant

SECTIONS = ("wsgi", "server", *http_libraries.LIBRARIES)


def main() -> None:
    asked = options.parse(__doc__, SECTIONS, rounds=7)
    if reason := variants.remora_is_here():
        raise SystemExit(reason)
    found = peers.prepare_for_http(asked.peers, asked.peers_dir)
    with Sink() as sink, tempfile.TemporaryDirectory(prefix="remora-benchmark-") as state:
        measured = pairs(found.values(), sink.url, Path(state))
        sections = []
        if asked.wants("wsgi"):
            sections.append(_wsgi(asked, sink, measured))
        if asked.wants("server"):
            sections.append(_server(asked, sink, measured))
        if any(map(asked.wants, http_libraries.LIBRARIES)):
            sections.append(http_libraries.section(asked, sink, measured))
    report.publish("requests_overhead", asked, found, sections)


def _wsgi(asked: options.Options, sink: Sink, pairs: list[Variant]) -> Section:
    pages, query_pages = (100, 20) if asked.quick else (1500, 150)

    def measure(variant: Variant) -> dict[str, Any]:
        sink.take()
        measured = variant.run("call_shop.py", named(variant), pages, query_pages)
        measured["arrived"] = sink.take()["spans"]
        return measured

    rounds = interleaved(pairs, asked.rounds, measure)
    keys = ("page_cpu_us", "page_us", "query_cpu_us", "query_us")
    section = Section(
        "wsgi",
        f"Added in one process, without sockets: {pages:,} Flask requests, {query_pages * 20:,} sqlite3 queries",
        ("us", "plain", "added, least", "added, median", "is ours x"),
        measured=dict(rounds),
    )
    words = ("request, CPU", "request, latency", "query, CPU", "query, latency")
    for key, what in zip(keys, words, strict=True):
        _compare(section, rounds, key, what)
    section.lost = _missing(rounds)
    section.judge()
    return section


def _server(asked: options.Options, sink: Sink, pairs: list[Variant]) -> Section:
    requests = 100 if asked.quick else 1500

    def measure(variant: Variant) -> dict[str, Any]:
        sink.take()
        measured = _served(variant, requests)
        measured["arrived"] = sink.take()["spans"]
        return measured

    rounds = interleaved(pairs, asked.rounds, measure)
    section = Section(
        "server",
        f"Added to a Flask server that is asked over loopback, {requests:,} requests one after the other",
        ("us", "plain", "added, least", "added, median", "is ours x"),
        measured=dict(rounds),
    )
    _compare(section, rounds, "cpu_us", "request, CPU of the server", judged=False)
    _compare(section, rounds, "latency_us", "request, latency at the client", judged=False)
    section.notes.append("not judged: what the sockets take, and how it varies, is more than what is measured")
    section.lost = _missing(rounds)
    section.judge()
    return section


def _served(variant: Variant, requests: int) -> dict[str, Any]:
    command = variant.command(str(PROGRAMS / "serve_shop.py"), named(variant))
    with tempfile.TemporaryFile("w+") as noise:
        server = subprocess.Popen(
            command, env=variant.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=noise, text=True
        )
        try:
            assert server.stdout is not None
            line = server.stdout.readline().strip()
            if not line:
                noise.seek(0)
                raise ProgramError(f"{' '.join(command)} did not start: {noise.read()[-1500:]}")
            port = int(line)
            warm = 50
            for _ in range(warm):
                _ask(port, "/orders/0")
            _ask(port, "/begin")
            took = []
            for _ in range(requests):
                begun = time.perf_counter_ns()
                _ask(port, "/orders/0")
                took.append(time.perf_counter_ns() - begun)
            told = json.loads(_ask(port, "/measured"))
            server.wait(30)
        finally:
            server.kill()
            server.wait()
            if server.stdout is not None:
                server.stdout.close()
    return {
        "cpu_us": told["cpu_s"] / requests * 1e6,
        "latency_us": median(took) / 1000,
        "spans": requests + warm + told["setup_spans"],
    }


def _ask(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status >= 400:
            raise ProgramError(f"{path} was answered {answer.status}")
        return body
    finally:
        connection.close()


def _compare(
    section: Section, rounds: dict[str, list[dict[str, Any]]], key: str, what: str, *, judged: bool = True
) -> None:
    """A row per agent, and the claims against the others."""
    costs: dict[str, list[float]] = {}
    for label in AGENTS:
        costs[label], cells = added(column(rounds, label, key), column(rounds, plain(label), key))
        if costs[label]:
            section.rows.append((f"{what}: {label}", *cells, times(costs[label], costs[OURS])))
    if judged:
        for label, divisor in DIVISORS.items():
            section.claims.append(share(f"added per {what}, part of {label}'s", costs[OURS], costs[label], divisor))


def _missing(rounds: dict[str, list[dict[str, Any]]]) -> int:
    return sum(each["spans"] - each["arrived"] for each in rounds[OURS])


if __name__ == "__main__":
    main()
