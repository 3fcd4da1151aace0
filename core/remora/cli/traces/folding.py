"""A loop of a thousand queries is one line, not a thousand: equal neighbours are folded."""

from __future__ import annotations

from dataclasses import dataclass

from remora.cli.traces import labels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from remora.cli.traces.tree import Node

_FROM: Final = 5  # that many in a row are folded
_SHOWN: Final = 2  # of which so many are shown first


@dataclass(slots=True)
class Folded:
    """Siblings without children that read the same as those before them."""

    nodes: list[Node]

    @property
    def busy_ns(self) -> int:
        return sum(node.duration_ns for node in self.nodes)

    @property
    def start_ns(self) -> int:
        return min(node.span.start_time_unix_nano for node in self.nodes)

    @property
    def end_ns(self) -> int:
        return max(node.span.end_time_unix_nano for node in self.nodes)


def fold(siblings: list[Node]) -> list[Node | Folded]:
    """The siblings, with long runs of equal ones cut short."""
    if len(siblings) < _FROM:
        return list(siblings)
    folded: list[Node | Folded] = []
    run: list[Node] = []
    for node in siblings:
        if run and _reading(node) != _reading(run[0]):
            folded += _shortened(run)
            run = []
        run.append(node)
    return folded + _shortened(run)


def _shortened(run: list[Node]) -> list[Node | Folded]:
    if len(run) < _FROM:
        return list(run)
    return [*run[:_SHOWN], Folded(run[_SHOWN:])]


def _reading(node: Node) -> tuple[object, ...]:
    if node.children or node.failed:
        return (node.span.span_id,)  # worth its own line
    return node.service, labels.kind(node), labels.name(node), labels.status_code(node), labels.query(node)
