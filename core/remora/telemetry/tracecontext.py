"""W3C Trace Context: ``traceparent`` and ``tracestate`` to and from a span's context."""

from __future__ import annotations

from remora.telemetry.spans_cy import context_span
from remora.telemetry.traceparent_cy import traceparent

__all__ = ["clean_state", "parse", "traceparent"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from remora.telemetry.spans_cy import Span

_HEX = frozenset("0123456789abcdef")
_MAX_MEMBERS = 32
_MAX_STATE_CHARS = 8192


def parse(parent: str | None, state: str | None) -> Span | None:
    """The remote context of the two headers, None when ``traceparent`` is absent or malformed.

    Versions above 00 are read by their first four fields, as the recommendation asks; ``ff`` is invalid. A malformed
    ``tracestate`` is dropped, the parent stays.
    """
    if not parent:
        return None
    parent = parent.strip(" \t")
    if len(parent) < 55 or parent[2] != "-" or parent[35] != "-" or parent[52] != "-":
        return None
    version, trace_id, span_id, flags = parent[:2], parent[3:35], parent[36:52], parent[53:55]
    if not (_HEX.issuperset(version) and _HEX.issuperset(trace_id) and _HEX.issuperset(span_id)):
        return None
    if not _HEX.issuperset(flags) or version == "ff":
        return None
    if version == "00":
        if len(parent) != 55:
            return None
    elif len(parent) > 55 and parent[55] != "-":
        return None
    trace_hi, trace_lo, own = int(trace_id[:16], 16), int(trace_id[16:], 16), int(span_id, 16)
    if not (trace_hi or trace_lo) or not own:
        return None
    return context_span(trace_hi, trace_lo, own, int(flags, 16) & 0x03, clean_state(state), True)


def clean_state(state: str | None) -> str:
    """``tracestate`` in its canonical form: of a key the first, latest member; empty when any member is malformed."""
    if not state or len(state) > _MAX_STATE_CHARS:
        return ""
    members: dict[str, str] = {}
    for part in state.split(","):
        member = part.strip(" \t")
        if not member:
            continue
        key, equals, value = member.partition("=")
        if not equals or not _valid_key(key) or not _valid_value(value):
            return ""
        members.setdefault(key, value)
    if len(members) > _MAX_MEMBERS:
        return ""
    return ",".join(f"{key}={value}" for key, value in members.items())


_KEY_CHARS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-*/")
_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz")
_LOWER_OR_DIGIT = _LOWER | frozenset("0123456789")


def _valid_key(key: str) -> bool:
    tenant, at, system = key.partition("@")
    if not at:
        return 0 < len(key) <= 256 and key[0] in _LOWER_OR_DIGIT and _KEY_CHARS.issuperset(key)
    return (
        0 < len(tenant) <= 241
        and tenant[0] in _LOWER_OR_DIGIT
        and _KEY_CHARS.issuperset(tenant)
        and 0 < len(system) <= 14
        and system[0] in _LOWER
        and _KEY_CHARS.issuperset(system)
    )


def _valid_value(value: str) -> bool:
    if not 0 < len(value) <= 256 or value[-1] == " ":
        return False
    return all(" " <= char <= "~" and char not in ",=" for char in value)
