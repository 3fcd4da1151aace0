"""Measures variants in turns, so that a busy moment of the machine hits all of them alike."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.variants import OURS, ProgramError, Variant


def interleaved(
    variants: Sequence[Variant],
    rounds: int,
    measure: Callable[[Variant], dict[str, Any]],
    *,
    warm: bool = False,
) -> dict[str, list[dict[str, Any]]]:
    """Per label what each round gave. Every round begins with another variant; ``warm`` adds one that is not kept.

    A peer that fails is left out from then on and told on stderr; ours failing is the end.
    """
    found: dict[str, list[dict[str, Any]]] = {variant.label: [] for variant in variants}
    failed: set[str] = set()
    for round_ in range(-1 if warm else 0, rounds):
        first = round_ % len(variants)
        for variant in [*variants[first:], *variants[:first]]:
            if variant.label in failed:
                continue
            try:
                measured = measure(variant)
            except ProgramError as error:
                if variant.label.startswith(OURS):
                    raise
                failed.add(variant.label)
                found[variant.label].clear()
                print(f"{variant.label} is left out: {error}", file=sys.stderr, flush=True)
            else:
                if round_ >= 0:
                    found[variant.label].append(measured)
    return found


def column(found: dict[str, list[dict[str, Any]]], label: str, key: str) -> list[float]:
    """One value of each round of a variant; empty when it was not measured."""
    return [float(each[key]) for each in found.get(label, ())]
