"""What to say about a span on one line, and what below it."""

from __future__ import annotations

from remora.cli.terminal import clean
from remora.conventions import keys
from remora.settings.endpoints import without_secrets
from remora.telemetry.names import EXCEPTION_EVENT, EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE, EXCEPTION_TYPE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from remora.cli.traces.tree import Node

KINDS = ("span", "internal", "server", "client", "producer", "consumer")
_LONGEST_WORD = 60


def kind(node: Node) -> str:
    """What the span is: the database's name for a query, else its kind."""
    system = node.span.attributes.get(keys.DB_SYSTEM_NAME)
    if system:
        return clean(str(system))[:_LONGEST_WORD]
    return kind_name(node.span.kind)


def kind_name(number: int) -> str:
    return KINDS[number] if 0 <= number < len(KINDS) else f"kind {number}"


def name(node: Node) -> str:
    """The span's name; an HTTP span that is named by its method alone also says where it went."""
    attributes = node.span.attributes
    own = clean(node.span.name) or "(no name)"
    if own == attributes.get(keys.HTTP_REQUEST_METHOD):
        target = attributes.get(keys.URL_FULL) or attributes.get(keys.URL_PATH)
        if target:
            return f"{own} {_address(clean(str(target)))}"
    return own


def status_code(node: Node) -> str:
    """The HTTP status, "" where there is none."""
    return clean(str(node.span.attributes.get(keys.HTTP_RESPONSE_STATUS_CODE, "")))


def query(node: Node) -> str:
    """The text of the query, where it says more than the name."""
    text = clean(str(node.span.attributes.get(keys.DB_QUERY_TEXT, "")))
    return "" if text.lower() == node.span.name.lower() else text


def failures(node: Node) -> list[str]:
    """Why the span failed: "ValueError: out of stock". Empty if it did not, or if its HTTP status says it all."""
    told = dict.fromkeys(_exceptions(node))
    if not node.failed and not told:
        return []
    error_type = clean(str(node.span.attributes.get(keys.ERROR_TYPE, "")))
    message = clean(node.span.status_message)
    if error_type and error_type != status_code(node) and not any(_same_type(error_type, line) for line in told):
        told[f"{error_type}: {message}" if message else error_type] = None
    elif message and not any(message in line for line in told):
        told[message] = None
    return list(told)


def rest(node: Node) -> Iterator[tuple[str, str]]:
    """Everything else the span carries, as (name, value): for somebody who looks at one trace."""
    shown = {keys.DB_QUERY_TEXT, keys.DB_SYSTEM_NAME, keys.HTTP_RESPONSE_STATUS_CODE}
    span = node.span
    for key, value in span.attributes.items():
        if key not in shown:
            yield clean(key), clean(written(value))
    for event in span.events:
        if event.name == EXCEPTION_EVENT:
            continue  # told as a failure
        offset_ms = (event.time_unix_nano - span.start_time_unix_nano) / 1e6
        yield f"event +{offset_ms:.1f} ms", " ".join([clean(event.name), *_pairs(event.attributes)])
    for link in span.links:
        yield "link", " ".join([f"trace {link.trace_id} span {link.span_id}", *_pairs(link.attributes)])
    if span.trace_state:
        yield "tracestate", clean(span.trace_state)
    for what, dropped in (
        ("attributes", span.dropped_attributes_count),
        ("events", span.dropped_events_count),
        ("links", span.dropped_links_count),
    ):
        if dropped:
            yield f"dropped {what}", f"{dropped} beyond the limit"
    if node.scope:
        yield "scope", clean(node.scope)


def stack(node: Node) -> list[str]:
    """The lines of the exceptions' stack traces."""
    lines: list[str] = []
    for event in node.span.events:
        if event.name == EXCEPTION_EVENT:
            text = str(event.attributes.get(EXCEPTION_STACKTRACE, ""))
            lines += [_indent(line) + clean(line) for line in text.splitlines() if line.strip()]
    return lines


def written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return f"[{', '.join(written(part) for part in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {written(part)}' for key, part in value.items())}}}"
    return "" if value is None else str(value)


def _indent(line: str) -> str:
    return " " * (len(line) - len(line.lstrip()))


def _exceptions(node: Node) -> Iterator[str]:
    for event in node.span.events:
        if event.name == EXCEPTION_EVENT:
            kind = clean(str(event.attributes.get(EXCEPTION_TYPE, "")))
            message = clean(str(event.attributes.get(EXCEPTION_MESSAGE, "")))
            if kind or message:
                yield f"{kind}: {message}" if kind and message else kind or message


def _same_type(error_type: str, line: str) -> bool:
    return line.partition(":")[0].rpartition(".")[2] == error_type.rpartition(".")[2]


def _pairs(attributes: dict[str, Any]) -> list[str]:
    return [f"{clean(key)}={clean(written(value))}" for key, value in attributes.items()]


def _address(url: str) -> str:
    """Host and path: the scheme is noise, and a query is long."""
    return without_secrets(url).partition("://")[2].partition("?")[0] if "://" in url else url.partition("?")[0]
