"""CPU, throughput and latency of spans, from creation with ten attributes to the bytes at a loopback receiver.

Five spans to a trace, each with ten attributes of an HTTP server (seven strings, two ints, a bool), made current,
ended, encoded, compressed and sent. Everybody at their defaults: Remora compresses by zstd; opentelemetry-sdk
(BatchSpanProcessor and OTLP/HTTP exporter), fastotel (in the SDK) and ddtrace (its own API, msgpack to an agent that
answers at once) send uncompressed, which spares them work. CPU is that of the whole process, threads included, until
all is flushed.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import options, peers, report, variants
from benchmarks.report import Claim, Section, at_least, share, spread, times
from benchmarks.rounds import column, interleaved
from benchmarks.sink import Sink
from benchmarks.variants import OURS, Variant

SECTIONS = ("cpu", "throughput", "calls", "encode")
STOCK = "opentelemetry"
MACHINE = "no span, plain Python"
PACE_PER_S = 3000  # what the stock SDK can do without losing a span, with room to spare


def main() -> None:
    asked = options.parse(__doc__, SECTIONS, rounds=5)
    if reason := variants.remora_is_here():
        raise SystemExit(reason)
    found = peers.prepare(asked.peers, asked.peers_dir)
    sections = []
    with Sink() as sink, tempfile.TemporaryDirectory(prefix="remora-benchmark-") as state:
        ours = variants.remora(sink.url, Path(state))
        others = [variants.by_hand(peer, sink.url) for peer in found.values() if peer.python is not None]
        measured = {"cpu": _cpu, "throughput": _throughput, "calls": _calls}
        sections = [measured[name](asked, sink, ours, others) for name in measured if asked.wants(name)]
        if asked.wants("encode"):
            sections.append(_encode(asked, [one for one in others if one.label == STOCK]))
    report.publish("spans", asked, found, sections)


def _make(variant: Variant, sink: Sink, count: int, rate_per_s: int, mode: str) -> dict[str, Any]:
    """Runs the program and adds what became of its spans."""
    if variant.label == MACHINE:
        return {**variant.run("make_spans.py", "nothing", count, rate_per_s, mode), "lost": 0, "wire_bytes": 0}
    sink.take()
    made = variant.run("make_spans.py", variant.label, count, rate_per_s, mode)
    arrived = sink.take()
    made["lost"] = made["made"] - arrived["spans"]
    made["wire_bytes"] = arrived["wire_bytes"] / max(arrived["spans"], 1)
    return made


def _cpu(asked: options.Options, sink: Sink, ours: Variant, others: list[Variant]) -> Section:
    count = 1000 if asked.quick else 15_000
    rounds = interleaved([ours, *others], asked.rounds, lambda one: _make(one, sink, count, PACE_PER_S, "cpu"))
    section = Section(
        "cpu",
        f"Total CPU per span, {count:,} spans at {PACE_PER_S:,}/s so that nobody loses any",
        ("us of CPU per span", "min", "median", "is ours x", "lost", "bytes/span sent"),
        measured=dict(rounds),
    )
    mine = column(rounds, OURS, "cpu_us")
    for label in rounds:
        costs = column(rounds, label, "cpu_us")
        if costs:
            lost = sum(column(rounds, label, "lost"))
            size = spread(column(rounds, label, "wire_bytes"), ".0f")[1]
            section.rows.append((label, *spread(costs), times(costs, mine), f"{lost:.0f}", size))
    section.lost = int(sum(column(rounds, OURS, "lost")))
    section.claims = [
        at_least("CPU per span, less than opentelemetry-sdk", mine, column(rounds, STOCK, "cpu_us"), 20),
        at_least("CPU per span, less than fastotel", mine, column(rounds, "fastotel", "cpu_us"), 6),
        at_least("CPU per span, less than ddtrace", mine, column(rounds, "ddtrace", "cpu_us"), 6),
    ]
    section.judge()
    return section


def _throughput(asked: options.Options, sink: Sink, ours: Variant, others: list[Variant]) -> Section:
    count = 20_000 if asked.quick else 600_000
    # Peers get fewer: at their pace the same number would take minutes. Their rate does not depend on it, their
    # losses would only grow.
    rounds = interleaved(
        [ours, *others],
        asked.rounds,
        lambda one: _make(one, sink, count if one is ours else count // 20, 0, "throughput"),
    )
    section = Section(
        "throughput",
        f"Spans per second delivered from one process, as fast as it goes: {count:,} spans, {count // 20:,} of peers",
        ("", "delivered/s best", "median", "made/s", "us of CPU per span", "lost", "lost %"),
        measured=dict(rounds),
    )
    for label, each in rounds.items():
        if not each:
            continue
        rates = [(one["timed"] - one["lost"]) / one["wall_s"] for one in each]
        lost = sum(one["lost"] for one in each)
        part = f"{100 * lost / sum(one['made'] for one in each):.1f}"
        best, middle = f"{max(rates):,.0f}", f"{sorted(rates)[len(rates) // 2]:,.0f}"
        made, cpu = spread(column(rounds, label, "made_per_s"), ",.0f")[1], spread(column(rounds, label, "cpu_us"))[1]
        section.rows.append((label, best, middle, made, cpu, str(lost), part))
    mine = sorted((one["timed"] - one["lost"]) / one["wall_s"] for one in rounds[OURS])
    rate = mine[len(mine) // 2]
    section.lost = int(sum(column(rounds, OURS, "lost")))
    section.claims = [
        Claim("spans delivered per second by ours", f"{rate:,.0f}", ">= 150,000", rate >= 150_000),
    ]
    section.judge()
    return section


def _calls(asked: options.Options, sink: Sink, ours: Variant, others: list[Variant]) -> Section:
    """Both at a pace that all can keep up, and as fast as it goes."""
    section = Section(
        "calls",
        "Time of one span call (one `with` block, clock to clock)",
        ("us", "p50", "p99", "p99.9", "p99 is ours x", "lost"),
    )
    machine = variants.plain(label=MACHINE)
    for rate_per_s, seconds in ((5000, 4), (0, 0)):
        count = 2000 if asked.quick else rate_per_s * seconds or 50_000
        measure = partial(_make, sink=sink, count=count, rate_per_s=rate_per_s, mode="calls")
        rounds = interleaved([ours, *others, machine], asked.rounds, measure)
        pace = f"{rate_per_s:,}/s" if rate_per_s else "unpaced"
        section.measured[pace] = rounds
        mine = column(rounds, OURS, "p99_us")
        for label in rounds:
            if not rounds[label]:
                continue
            p50, p99, p999 = (spread(column(rounds, label, f"{name}_us"))[1] for name in ("p50", "p99", "p999"))
            tail = times(column(rounds, label, "p99_us"), mine)
            lost = f"{sum(column(rounds, label, 'lost')):.0f}"
            section.rows.append((f"{label}, {pace}", p50, p99, p999, tail, lost))
        section.lost += int(sum(column(rounds, OURS, "lost")))
        words = f"p99 of a span call, {pace}, part of opentelemetry-sdk's"
        claim = share(words, mine, column(rounds, STOCK, "p99_us"), 10)
        if claim.met is False and median(column(rounds, MACHINE, "p99_us")) * 2 > median(mine):
            claim = replace(claim, met=None)
            section.notes.append(f"{pace}: half of our p99 or more is what the machine does to plain Python as well")
        section.claims.append(claim)
    section.judge()
    return section


def _encode(asked: options.Options, stock: list[Variant]) -> Section:
    count = 2048 if asked.quick else 20_480
    compiled = variants.plain(label="remora, compiled")
    twin = variants.plain(label="remora, plain Python", REMORA_PURE_PYTHON="1")
    rounds = interleaved(
        [compiled, twin, *stock],
        asked.rounds,
        lambda one: one.run("encode_spans.py", one.label.partition(",")[0], count),
    )
    section = Section(
        "encode",
        f"Encoding alone: {count:,} finished spans to OTLP bytes, in batches of 512, same data",
        ("us of CPU per span", "min", "median", "stock is x", "bytes/span"),
        measured=dict(rounds),
    )
    theirs = column(rounds, STOCK, "cpu_us")
    for label in rounds:
        costs = column(rounds, label, "cpu_us")
        if costs:
            size = spread(column(rounds, label, "bytes_per_span"), ".0f")[1]
            section.rows.append((label, *spread(costs, ".2f"), times(theirs, costs), size))
    section.claims = [
        at_least("encoding, compiled, less than stock's", column(rounds, compiled.label, "cpu_us"), theirs, 12),
        at_least("encoding, plain Python, less than stock's", column(rounds, twin.label, "cpu_us"), theirs, 5),
    ]
    if rounds[compiled.label][0]["kind"] != "compiled":
        section.claims[0] = Claim("encoding, compiled", "not compiled", ">= 12x", None)
    return section


if __name__ == "__main__":
    main()
