"""CPU of one measurement of a histogram, and of collecting and encoding a point.

The histogram is that of HTTP servers' durations: fourteen boundaries, seven attributes of which five are there, a
hundred sets of them in turns, inside a sampled span, so that exemplars are kept. Ours is what the instrumentations
call; opentelemetry-sdk is given its attributes as ready dictionaries and the same boundaries by a view.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import options, peers, report, variants
from benchmarks.report import Claim, Section, at_least, spread, times
from benchmarks.rounds import column, interleaved

SECTIONS = ("record",)
STOCK = "opentelemetry"


def main() -> None:
    asked = options.parse(__doc__, SECTIONS, rounds=5)
    found = peers.prepare([name for name in asked.peers if name == STOCK], asked.peers_dir)
    report.publish("metrics", asked, found, [_record(asked, found)])


def _record(asked: options.Options, found: dict[str, peers.Peer]) -> Section:
    count = 5_000 if asked.quick else 200_000
    compiled = variants.plain(label="remora, compiled")
    twin = variants.plain(label="remora, plain Python", REMORA_PURE_PYTHON="1")
    stock = [variants.plain(peer.python, label=STOCK) for peer in found.values() if peer.python is not None]
    rounds = interleaved(
        [compiled, twin, *stock],
        asked.rounds,
        lambda one: one.run("record_metrics.py", one.label.partition(",")[0], count),
    )
    section = Section(
        "record",
        f"One measurement, of {count:,}, and one point collected and encoded",
        ("us of CPU", "record min", "median", "stock is x", "encode a point", "bytes/point"),
        measured=dict(rounds),
    )
    theirs = column(rounds, STOCK, "record_us")
    for label in rounds:
        costs = column(rounds, label, "record_us")
        if costs:
            encode = spread(column(rounds, label, "encode_us"), ".1f")[1]
            size = spread(column(rounds, label, "bytes_per_point"), ".0f")[1]
            section.rows.append((label, *spread(costs, ".3f"), times(theirs, costs), encode, size))
    mine = column(rounds, compiled.label, "record_us")
    section.claims = [at_least("a measurement, compiled, less than stock's", mine, theirs, 15)]
    if rounds[compiled.label][0]["kind"] != "compiled":
        section.claims[0] = Claim("a measurement, compiled", "not compiled", ">= 15x", None)
    return section


if __name__ == "__main__":
    main()
