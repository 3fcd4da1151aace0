"""Zero-code agents, each with the program as it is in the agent's own environment right beside it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmarks import variants
from benchmarks.peers import Peer
from benchmarks.variants import OURS, Variant

CONTRIB = "opentelemetry-instrument"
DATADOG = "ddtrace-run"
# By label, what the programs know them by.
AGENTS = {OURS: OURS, CONTRIB: "opentelemetry", DATADOG: "ddtrace"}
# How much of what each peer adds ours may add.
DIVISORS = {CONTRIB: 8, DATADOG: 3}


def named(variant: Variant) -> str:
    """The first argument of a program that is to run as that variant."""
    return AGENTS.get(variant.label, "plain")


def pairs(peers: Iterable[Peer], sink_url: str, state: Path) -> list[Variant]:
    """All send traces and metrics, as far as they make any."""
    found: list[Variant] = []
    agents = [variants.remora(sink_url, state)]
    agents += [variants.launched(peer, sink_url, metrics=True) for peer in peers if peer.python is not None]
    for agent in agents:
        found += [variants.plain(agent.python, plain(agent.label)), agent]
    return found


def plain(label: str) -> str:
    """The label of the program as it is, in the environment of that agent."""
    return f"plain for {label}"
