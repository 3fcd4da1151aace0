"""Tables, claims and what was left out, for people or as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from benchmarks.options import Options
from benchmarks.peers import Peer


@dataclass(frozen=True)
class Claim:
    """One number against its target. ``met`` is None when it cannot be told."""

    words: str
    value: str
    target: str
    met: bool | None

    @property
    def verdict(self) -> str:
        return {True: "met", False: "MISSED", None: "not judged"}[self.met]


@dataclass
class Section:
    """One table. The first column is text; ``notes`` stand under it."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    measured: dict[str, Any] = field(default_factory=dict)  # per variant the values of each round, for --json
    lost: int = 0  # spans of ours that did not arrive

    def judge(self) -> None:
        """Adds the claim that nothing was lost. Where something was, no other claim counts: not sending is cheap."""
        if self.lost:
            self.claims = [replace(claim, met=None) for claim in self.claims]
            self.notes.append("spans of ours are missing, so nothing else is judged")
        self.claims.append(Claim("spans lost by ours", str(self.lost), "0", self.lost == 0))

    def lines(self) -> list[str]:
        table = [self.columns, *self.rows]
        widths = [max(len(row[column]) for row in table) for column in range(len(self.columns))]
        lines = [self.title, ""]
        for row in table:
            cells = [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
            lines.append("  " + "  ".join(cells).rstrip())
        lines.append("")
        lines += [f"  {note}" for note in self.notes]
        width = max((len(claim.words) for claim in self.claims), default=0)
        lines += [
            f"  {one.words.ljust(width)}  {one.value:>12}  target {one.target}: {one.verdict}" for one in self.claims
        ]
        return lines


def publish(benchmark: str, options: Options, peers: dict[str, Peer], sections: Sequence[Section]) -> None:
    """Prints everything, once, at the end."""
    conditions = {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
        "load": f"{os.getloadavg()[0]:.1f}",
        "rounds": options.rounds,
        "quick": options.quick,
        "peers": {name: peer.detail for name, peer in peers.items()},
    }
    if options.json:
        print(
            json.dumps(
                {"benchmark": benchmark, "conditions": conditions, "sections": [_plain(one) for one in sections]}
            )
        )
        return
    print(f"{benchmark}: Python {conditions['python']}, {conditions['machine']}, load {conditions['load']}, ", end="")
    print(f"{options.rounds} interleaved rounds{', QUICK: times say little' if options.quick else ''}")
    print("peers: " + (", ".join(f"{name} {peer.detail}" for name, peer in peers.items()) or "none"))
    for section in sections:
        print()
        print("\n".join(section.lines()))


def _plain(section: Section) -> dict[str, Any]:
    return {
        "name": section.name,
        "title": section.title,
        "columns": section.columns,
        "rows": section.rows,
        "claims": [
            {"claim": one.words, "value": one.value, "target": one.target, "met": one.met} for one in section.claims
        ],
        "notes": section.notes,
        "measured": section.measured,
        "lost": section.lost,
    }


def at_least(words: str, ours: Sequence[float], theirs: Sequence[float], factor: float) -> Claim:
    """Ours is at least ``factor`` times less than theirs, by the medians of the rounds."""
    return Claim(words, times(theirs, ours), f">= {factor:g}x", _holds(ours, theirs, factor))


def share(words: str, ours: Sequence[float], theirs: Sequence[float], divisor: int) -> Claim:
    """Ours is at most 1/``divisor`` of theirs, by the medians of the rounds."""
    part = times(theirs, ours)
    return Claim(
        words, "1/" + part.rstrip("x") if part != "-" else part, f"<= 1/{divisor}", _holds(ours, theirs, divisor)
    )


def _holds(ours: Sequence[float], theirs: Sequence[float], factor: float) -> bool | None:
    """None where it cannot be told: not measured, or the difference drowns in the noise of the machine."""
    if not ours or not theirs or median(theirs) <= 0:
        return None
    return median(theirs) >= factor * median(ours)


def at_most(words: str, value: float, limit: float, unit: str) -> Claim:
    return Claim(words, f"{value:.1f} {unit}".strip(), f"<= {limit:g} {unit}".strip(), value <= limit)


def spread(values: Sequence[float], form: str = ".1f") -> tuple[str, str]:
    """Least and median of the rounds."""
    return (format(min(values), form), format(median(values), form)) if values else ("-", "-")


def times(theirs: Sequence[float], ours: Sequence[float]) -> str:
    """How many times ours, by medians; "-" where there is nothing to divide (by)."""
    if not theirs or not ours or median(ours) <= 0:
        return "-"
    return f"{median(theirs) / median(ours):.1f}x"


def added(busy: Sequence[float], calm: Sequence[float]) -> tuple[list[float], tuple[str, str, str]]:
    """What an agent adds: the number that is judged, in a list or none, and the cells plain, least, median.

    Judged is the least of all rounds with the agent minus the least without: a busy machine only ever adds.
    """
    if not busy or not calm:
        return [], ("-", "-", "-")
    least, middle = min(busy) - min(calm), median(busy) - median(calm)
    return [least], (f"{min(calm):.1f}", f"{least:.1f}", f"{middle:.1f}")
