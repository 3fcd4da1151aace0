"""Finds the newest traces that are asked for without decoding the whole store."""

from __future__ import annotations

from dataclasses import dataclass, field

from remora.cli.traces.tree import Collection
from remora.otlp.decode import DecodeError, decode_traces
from remora.store.reader import Reader
from remora.store.scan import Damaged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from remora.cli.traces.tree import Trace
    from remora.otlp.decoded import ResourceSpans
    from remora.store.reader import Stored

# How many spans to decode, newest first, until enough traces are found. A million takes half a minute.
_BUDGETS: Final = (2_000, 16_000, 128_000, 1_000_000)


@dataclass(slots=True, frozen=True)
class Wanted:
    """Which traces: ``trace_id`` may be the beginning of one, ``last`` counts from the newest, None is no limit."""

    service: str | None = None
    errors: bool = False
    trace_id: str | None = None
    last: int | None = None
    since_ns: int = 0

    def fits(self, trace: Trace) -> bool:
        if self.trace_id is not None and not trace.trace_id.startswith(self.trace_id):
            return False
        if self.service is not None and self.service not in trace.services:
            return False
        return trace.start_ns >= self.since_ns and (trace.failed or not self.errors)


@dataclass(slots=True)
class Found:
    """``traces`` by start; ``others`` were looked at and do not fit; ``unread`` spans are older than what was read."""

    traces: list[Trace] = field(default_factory=list)
    damaged: list[Damaged] = field(default_factory=list)
    services: set[str] = field(default_factory=set)
    more: int = 0
    others: int = 0
    unread: int = 0


def gather(folder: str, wanted: Wanted) -> Found:
    """What ``folder`` holds of what is wanted. OSError if the folder cannot be read."""
    if wanted.trace_id is not None:
        return _search(folder, wanted, 0, _fragment(wanted.trace_id))
    written = [
        (stored.time_ns, stored.items)
        for stored in Reader(folder).read(since_ns=wanted.since_ns)
        if not isinstance(stored, Damaged) and stored.signal == "traces"
    ]
    found = Found()
    for budget in _BUDGETS:
        since_ns, unread = _newest(written, budget)
        found = _search(folder, wanted, max(since_ns, wanted.since_ns), b"")
        found.unread = unread
        if not unread or (wanted.last is not None and len(found.traces) >= wanted.last):
            break
    return found


def decoded(stored: Stored) -> list[ResourceSpans] | Damaged:
    """The spans of a frame, or what is wrong with it."""
    try:
        return decode_traces(stored.body)
    except DecodeError as error:
        return Damaged(stored.file, stored.offset, f"the frame holds no OTLP traces: {error}")


def _search(folder: str, wanted: Wanted, since_ns: int, fragment: bytes) -> Found:
    found = Found()
    collection = Collection()
    for stored in _traces(folder, since_ns):
        if isinstance(stored, Damaged):
            found.damaged.append(stored)
        elif fragment in stored.body:
            resources = decoded(stored)
            if isinstance(resources, Damaged):
                found.damaged.append(resources)
            else:
                collection.add(resources)
    for trace in collection.traces():
        # What began before the oldest frame that was read may have spans in older ones.
        if trace.start_ns < since_ns and not fragment:
            continue
        found.services.update(trace.services)
        if wanted.fits(trace):
            found.traces.append(trace)
        else:
            found.others += 1
    if wanted.last is not None and len(found.traces) > wanted.last:
        found.more = len(found.traces) - wanted.last
        found.traces = found.traces[found.more :]
    return found


def _traces(folder: str, since_ns: int) -> Iterator[Stored | Damaged]:
    for stored in Reader(folder).read(since_ns=since_ns):
        if isinstance(stored, Damaged) or stored.signal == "traces":
            yield stored


def _newest(written: list[tuple[int, int]], budget: int) -> tuple[int, int]:
    """Since when frames hold at most ``budget`` spans, and how many spans are older."""
    spans = 0
    for position in range(len(written) - 1, -1, -1):
        spans += written[position][1]
        if spans > budget and position < len(written) - 1:
            return written[position + 1][0], sum(items for _, items in written[: position + 1])
    return 0, 0


def _fragment(trace_id: str) -> bytes:
    """What frames with that trace contain, literally."""
    return bytes.fromhex(trace_id[: len(trace_id) // 2 * 2])
