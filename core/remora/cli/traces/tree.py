"""Spans of the store put together as traces, whatever is missing, doubled or tied into a knot."""

from __future__ import annotations

from dataclasses import dataclass, field

from remora.telemetry.names import SERVICE_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from remora.otlp.decoded import ResourceSpans, Span

ERROR = 2
_REMOTE_IS_KNOWN, _REMOTE = 0x100, 0x200


@dataclass(slots=True, eq=False)
class Node:
    """A span where it hangs: its service and resource, and its children by start."""

    span: Span
    service: str
    resource: dict[str, Any]
    scope: str
    children: list[Node] = field(default_factory=list)

    @property
    def duration_ns(self) -> int:
        return self.span.end_time_unix_nano - self.span.start_time_unix_nano

    @property
    def failed(self) -> bool:
        return self.span.status_code == ERROR

    @property
    def called_from_elsewhere(self) -> bool:
        """Whether the parent is known to be in another process."""
        return bool(self.span.flags & _REMOTE_IS_KNOWN and self.span.flags & _REMOTE)


class Trace:
    """One trace: ``roots`` have no parent, ``orphans`` one that is not there; ``nodes`` is everything by start."""

    def __init__(self, trace_id: str, nodes: Iterable[Node]) -> None:
        self.trace_id = trace_id
        # The same span may have been stored twice, by a retry whose first try had arrived after all.
        unique = {node.span.span_id: node for node in nodes}
        self.nodes = sorted(unique.values(), key=_by_start)
        self.roots = [node for node in self.nodes if not node.span.parent_span_id]
        self.orphans: list[Node] = []
        self._hang(unique)
        self.start_ns = min(node.span.start_time_unix_nano for node in self.nodes)
        self.end_ns = max(node.span.end_time_unix_nano for node in self.nodes)

    def _hang(self, unique: dict[str, Node]) -> None:
        for node in self.nodes:
            node.children = []
        for node in self.nodes:
            if node.span.parent_span_id:
                parent = unique.get(node.span.parent_span_id)
                (self.orphans if parent is None else parent.children).append(node)
        reached = {id(node) for node, _ in self.walk()}
        for node in self.nodes:
            if id(node) not in reached:
                # Parents in a circle, which only broken telemetry has: cut where the circle starts.
                parent = unique[node.span.parent_span_id]
                parent.children = [child for child in parent.children if child is not node]
                self.orphans.append(node)
                reached.update(id(below) for below, _ in _below(node, 0))

    @property
    def head(self) -> Node:
        """The span that gives the trace its name."""
        return (self.roots or self.orphans)[0]

    @property
    def duration_ns(self) -> int:
        return self.end_ns - self.start_ns

    @property
    def services(self) -> list[str]:
        """In the order in which they first appear."""
        return list(dict.fromkeys(node.service for node, _ in self.walk()))

    @property
    def failed(self) -> bool:
        return any(node.failed for node in self.nodes)

    @property
    def complete(self) -> bool:
        """Whether the span that started it is here, so that nothing bigger is still to come."""
        return bool(self.roots) or any(node.called_from_elsewhere for node in self.orphans)

    def walk(self) -> Iterator[tuple[Node, int]]:
        """Every node with its depth, parents first."""
        for top in (*self.roots, *self.orphans):
            yield from _below(top, 0)


class Collection:
    """Takes what the store holds, piece by piece, and gives the traces in it."""

    def __init__(self) -> None:
        self._nodes: dict[str, list[Node]] = {}

    def add(self, resources: Iterable[ResourceSpans]) -> set[str]:
        """Keep the spans; returns the ids of their traces."""
        touched = set()
        for resource in resources:
            service = str(resource.attributes.get(SERVICE_NAME) or "unknown_service")
            for scope in resource.scopes:
                for span in scope.spans:
                    self._nodes.setdefault(span.trace_id, []).append(
                        Node(span, service, resource.attributes, scope.name)
                    )
                    touched.add(span.trace_id)
        return touched

    def forget(self, trace_id: str) -> None:
        self._nodes.pop(trace_id, None)

    def trace(self, trace_id: str) -> Trace:
        return Trace(trace_id, self._nodes[trace_id])

    def traces(self) -> list[Trace]:
        """All of them, by start."""
        found = [Trace(trace_id, nodes) for trace_id, nodes in self._nodes.items()]
        return sorted(found, key=lambda trace: (trace.start_ns, trace.trace_id))


def _below(top: Node, depth: int) -> Iterator[tuple[Node, int]]:
    # Not recursive: a runaway recursion in the program is a trace thousands of levels deep.
    waiting = [(top, depth)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting += [(child, depth + 1) for child in reversed(node.children)]


def _by_start(node: Node) -> tuple[int, int, str]:
    # Of spans with one start the longer one comes first: it is the outer one.
    return node.span.start_time_unix_nano, -node.span.end_time_unix_nano, node.span.span_id
