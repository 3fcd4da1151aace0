"""Whether the traces of the demo are whole: one tree per request, with the right parents, and nothing beside it."""

from __future__ import annotations

from remora.conventions import keys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from remora.cli.demo.visits import Visit
    from remora.cli.traces.tree import Node, Trace

_SERVER, _CLIENT = 2, 3


def missing(visits: Sequence[Visit], traces: Sequence[Trace]) -> list[str]:
    """One line per fault; ``traces`` in the order of the requests."""
    if len(traces) != len(visits):
        return [f"{len(visits)} requests were sent, and there are {len(traces)} traces"]
    faults = []
    for visit, trace in zip(visits, traces, strict=True):
        faults += [f"{visit.words} (trace {trace.trace_id}): {fault}" for fault in _faults(visit, trace)]
    return faults


def _faults(visit: Visit, trace: Trace) -> list[str]:
    if len(trace.roots) != 1 or trace.orphans:
        return [f"{len(trace.roots)} roots and {len(trace.orphans)} spans without their parent, instead of one tree"]
    root = trace.roots[0]
    faults = []
    if not _is(root, "shop", _SERVER) or not root.span.name.startswith(visit.method):
        faults.append(f"its root is {root.span.name} of {root.service}, no server span of the shop")
    if root.span.attributes.get(keys.HTTP_RESPONSE_STATUS_CODE) != visit.status:
        faults.append(f"its status is not {visit.status}")
    if root.failed != (visit.status >= 500):
        faults.append("it failed" if root.failed else "it is not marked as failed")
    if not any(_is_query(child) for child in root.children):
        faults.append("no SQL span below the shop's server span")
    if visit.calls_stock:
        faults += _faults_of_call(root)
    return faults


def _faults_of_call(root: Node) -> list[str]:
    calls = [child for child in root.children if _is(child, "shop", _CLIENT) and not _is_query(child)]
    if len(calls) != 1:
        return [f"{len(calls)} client spans below the shop's server span, instead of one"]
    answers = [child for child in calls[0].children if _is(child, "stock", _SERVER)]
    if len(answers) != 1 or len(calls[0].children) != 1:
        return ["the server span of stock is not below the shop's client span"]
    if not any(_is_query(child) for child in answers[0].children):
        return ["no SQL span below the server span of stock"]
    return []


def _is(node: Node, service: str, kind: int) -> bool:
    return node.service == service and node.span.kind == kind


def _is_query(node: Node) -> bool:
    return keys.DB_SYSTEM_NAME in node.span.attributes
