"""Throughput of reading queries as they may be shown, text without values and summary, beside sqlparse; and the cases.

The cases are the conventions' own, of which every one has to hold. Contrib shows queries as they are written and has
no summary of them; who wants the values out has to parse them, and sqlparse is what there is: its tokens are joined
with a ? for each literal, and the first word is the summary. One CPU each.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import options, peers, report, variants
from benchmarks.report import Claim, Section, spread, times
from benchmarks.rounds import column, interleaved
from benchmarks.variants import OURS
from support.tree import REPOSITORY

SECTIONS = ("cases", "throughput")
CASES = REPOSITORY.parent / "shared" / "data" / "db-sql-test-cases.json"
# Megabytes per second that ours has to reach, by path.
TARGETS = {"plain": 1, "cached": 20}
PARSER = "sqlparse"


def main() -> None:
    asked = options.parse(__doc__, SECTIONS, rounds=5)
    found = peers.prepare_sqlparse(asked.peers, asked.peers_dir)
    measured = {"cases": lambda: _cases(), "throughput": lambda: _throughput(asked, found)}
    report.publish("sql", asked, found, [measured[name]() for name in SECTIONS if asked.wants(name)])


def _cases() -> Section:
    from remora.conventions import sql

    section = Section("cases", "The conventions' own cases: text and summary", ("", "cases", "hold"))
    if not CASES.exists():
        section.notes.append(f"the reference data is not at {CASES}")
        section.claims.append(Claim("cases that hold", "-", "all", None))
        return section
    cases: list[Any] = json.loads(CASES.read_text())
    holding = 0
    for case in cases:
        read = sql.read(case["input"]["query"], case["input"]["db.system.name"])
        expected = case["expected"]
        holds = (
            read is not None and read.text in expected["db.query.text"] and read.summary == expected["db.query.summary"]
        )
        holding += holds
        if not holds:
            section.notes.append(f"{case['name']} does not hold")
    section.rows.append((OURS, str(len(cases)), str(holding)))
    section.claims.append(Claim("cases that hold", f"{holding}/{len(cases)}", "all", holding == len(cases)))
    return section


def _throughput(asked: options.Options, found: dict[str, peers.Peer]) -> Section:
    section = Section(
        "throughput",
        "Megabytes of queries per second of CPU; plain: all different, cached: eight again and again",
        ("MB/s", "best", "median", "us per query", "ours is x"),
    )
    parsers = [variants.plain(peer.python, label=PARSER) for peer in found.values() if peer.python is not None]
    for path, target in TARGETS.items():
        sizes = {OURS: (0.02 if asked.quick else 2.0) * target, PARSER: 0.01 if asked.quick else 0.1}
        rounds = interleaved(
            [variants.plain(label=OURS), *parsers],
            asked.rounds,
            lambda one, path=path, sizes=sizes: one.run("read_sql.py", one.label, path, sizes[one.label]),
        )
        section.measured[path] = rounds
        mine = column(rounds, OURS, "mb_per_s")
        for label in rounds:
            rates = column(rounds, label, "mb_per_s")
            if rates:
                each = spread(column(rounds, label, "us_per_query"))[1]
                row = (f"{label}, {path}", f"{max(rates):.2f}", f"{median(rates):.2f}", each, times(mine, rates))
                section.rows.append(row)
        rate = median(mine)
        section.claims.append(Claim(f"MB/s, {path}", f"{rate:.2f}", f">= {target}", rate >= target))
    return section


if __name__ == "__main__":
    main()
