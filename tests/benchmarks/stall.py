"""By how much a thread is kept waiting in a program that makes 20,000 spans per second.

The thread sleeps a millisecond at a time and notes by how much it wakes up late; the same program without spans says
what of it is the machine's doing. The stock SDK makes as many of the spans as it can, and drops what its queue cannot
hold.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import options, peers, report, variants
from benchmarks.report import Section, at_most
from benchmarks.rounds import column, interleaved
from benchmarks.sink import Sink
from benchmarks.variants import OURS, Variant

SECTIONS = ("stall",)
RATE_PER_S = 20_000
QUANTILES = ("p50_us", "p99_us", "p999_us", "max_us")


def main() -> None:
    asked = options.parse(__doc__, SECTIONS, rounds=5)
    if reason := variants.remora_is_here():
        raise SystemExit(reason)
    # ddtrace has an API of its own, and its spans are not what the others make: left out here.
    found = peers.prepare([name for name in asked.peers if name != "ddtrace"], asked.peers_dir)
    with Sink() as sink, tempfile.TemporaryDirectory(prefix="remora-benchmark-") as state:
        every = [variants.plain(), variants.remora(sink.url, Path(state))]
        every += [variants.by_hand(peer, sink.url) for peer in found.values() if peer.python is not None]
        section = _stall(asked, sink, every)
    report.publish("stall", asked, found, [section])


def _stall(asked: options.Options, sink: Sink, every: list[Variant]) -> Section:
    seconds = 1.0 if asked.quick else 8.0

    def measure(variant: Variant) -> dict[str, Any]:
        sink.take()
        measured = variant.run("heartbeat.py", variant.label, RATE_PER_S, seconds)
        measured["lost"] = measured["made"] - sink.take()["spans"]
        return measured

    rounds = interleaved(every, asked.rounds, measure)
    section = Section(
        "stall",
        f"How late a thread wakes up that sleeps 1 ms at a time, {seconds:g} s at {RATE_PER_S:,} spans/s",
        ("us late, median of rounds", "p50", "p99", "p99.9", "max", "p99.9 added, min", "median", "spans/s", "lost"),
        measured=dict(rounds),
    )
    added: dict[str, list[float]] = {}
    base = column(rounds, "plain", "p999_us")
    for label in rounds:
        if not rounds[label]:
            continue
        row = [f"{median(column(rounds, label, name)):.0f}" for name in QUANTILES]
        added[label] = [late - quiet for late, quiet in zip(column(rounds, label, "p999_us"), base, strict=False)]
        more = ["", ""] if label == "plain" else [f"{min(added[label]):.0f}", f"{median(added[label]):.0f}"]
        rate = "0" if label == "plain" else f"{median(column(rounds, label, 'made_per_s')):,.0f}"
        section.rows.append((label, *row, *more, rate, f"{sum(column(rounds, label, 'lost')):.0f}"))
    section.lost = int(sum(column(rounds, OURS, "lost")))
    section.claims = [
        at_most("p99.9 of the stall that ours adds", median(added[OURS]) / 1000, 1.0, "ms"),
    ]
    section.judge()
    return section


if __name__ == "__main__":
    main()
