"""Whether each request's spans are its own: all of them, in its trace, under the right parents, and nobody else's."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugins.http.many_requests.asking import Asked

_INSIDE = {"/child": Counter(inside=1), "/stream": Counter(chunk=3), "/nested": Counter(nested=1)}


def misplaced(asked: list[Asked], spans: list[dict[str, Any]]) -> list[str]:
    """What is wrong, in words; empty if nothing is."""
    traces: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for span in spans:
        traces[span["trace_id"]].append(span)
    begun = {_number(each): each["trace_id"] for each in spans if each["kind"] == "server" and not _parent(each)}
    problems = []
    for one in asked:
        own = traces.pop(one.trace_id or begun.get(one.number, ""), [])
        problems += [f"{one}: {problem}" for problem in _problems(one, own)]
    problems += [f"a trace that nobody asked for: {rest}" for rest in traces.values()]
    return problems


def _problems(one: Asked, own: list[dict[str, Any]]) -> Iterator[str]:
    if one.leaves and not own:
        return  # the server had not looked at it yet when the asker left
    first = [span for span in own if span["kind"] == "server" and _parent(span) == one.span_id]
    if len(first) != 1:
        yield f"{len(first)} SERVER spans under its caller, of {_shown(own)}"
        return
    (server,) = first
    if _number(server) != one.number or server["attributes"]["url.path"] != one.path:
        yield f"another request's SERVER span: {server}"
    if one.answered is not None and server["attributes"].get("http.response.status_code") != one.answered:
        yield f"the span tells another status: {server}"
    if one.leaves and "error.type" in server["attributes"]:
        yield f"that the asker left is no failure: {server}"
    yield from _inside(one, server, own)


def _inside(one: Asked, server: dict[str, Any], own: list[dict[str, Any]]) -> Iterator[str]:
    children = _children(server, own)
    names = Counter(span["name"] for span in children)
    wanted = _INSIDE.get(one.path, Counter())
    if names != wanted and not (one.leaves and names <= wanted):
        yield f"{_shown(children)} inside"
    seen = 1 + len(children)
    if one.path == "/nested" and children:
        (nested,) = children
        if nested["attributes"]["number"] != str(one.number):
            yield f"the handler of another request: {nested}"
        calls = _children(nested, own)
        answering = [span for call in calls for span in _children(call, own)]
        within = [span for each in answering for span in _children(each, own)]
        seen += len(calls) + len(answering) + len(within)
        shape = [
            [span["kind"] for span in calls],
            [_number(span) for span in answering],
            [span["name"] for span in within],
        ]
        if shape != [["client"], [one.number], ["inside"]] and not one.leaves:
            yield f"the call of itself is {shape}"
    if seen != len(own):
        yield f"spans that belong nowhere in {_shown(own)}"


def _children(parent: dict[str, Any], own: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [span for span in own if _parent(span) == parent["span_id"]]


def _parent(span: dict[str, Any]) -> str | None:
    return span["parent_id"] or None


def _number(span: dict[str, Any]) -> int:
    return int(span["attributes"].get("url.query", "id=-1").removeprefix("id="))


def _shown(spans: list[dict[str, Any]]) -> list[str]:
    return [f"{span['kind']} {span['name']}" for span in spans]
