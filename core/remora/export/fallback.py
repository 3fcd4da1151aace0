"""The last word on a payload: what was delivered, what the fallback keeps, what is lost and why."""

from __future__ import annotations

from remora import diagnostics
from remora.export import partial
from remora.export.diagnose import shown
from remora.export.reply import ACCEPTED, REJECTED, TOO_LARGE, UNREADABLE
from remora.export.sender import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from remora.export.reply import Reply
    from remora.export.sender import Payload

_FOR_GOOD = (REJECTED, UNREADABLE, TOO_LARGE)  # the payload itself is at fault: it would fare no better later


class Settlement:
    """Turns the last reply for a payload into its outcome.

    `keep` stores a payload and tells whether it could; `words` says what a reply means.
    """

    def __init__(self, keep: Callable[[Payload], bool] | None, words: Callable[[Reply], str] = repr) -> None:
        self._keep = keep
        self._words = words
        self._kept_last = keep is not None

    def keeps(self) -> bool:
        """Whether payloads that cannot be delivered are stored, judged by the last one."""
        return self._kept_last

    def settle(self, payload: Payload, reply: Reply) -> Outcome:
        if reply.verdict == ACCEPTED:
            return _accepted(payload, reply.body)
        if reply.verdict == TOO_LARGE:
            return _too_large(payload, reply)
        if reply.verdict in _FOR_GOOD:
            return Outcome(dropped={reply.reason: payload.items}, detail=self._words(reply))
        return self.store(payload, reply.reason, self._words(reply))

    def store(self, payload: Payload, reason: str, detail: str = "") -> Outcome:
        """Stored, or else dropped for `reason`."""
        if self._keep is not None:
            try:
                self._kept_last = bool(self._keep(payload))
            except Exception as error:
                self._kept_last = False
                diagnostics.say("export.fallback", f"the local store failed: {diagnostics.fault_text(error)}")
            if self._kept_last:
                return Outcome(stored=payload.items, detail=detail)
        return Outcome(dropped={reason: payload.items}, detail=detail)


def _too_large(payload: Payload, reply: Reply) -> Outcome:
    """What could not be made smaller; it would not be taken later either, so it is not stored."""
    one = {"traces": "a span", "logs": "a log record", "metrics": "a metric", "profiles": "a profile"}
    what = one.get(payload.signal, "an item") if payload.items == 1 else f"a batch of {payload.items} items,"
    said = "" if reply.error else f" (status {reply.status})"
    text = (
        f"{what} of {len(payload.body):,} bytes is more than the collector takes at once{said}, and is dropped: "
        "raise the collector's limit, or shorten long texts with OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"
    )
    diagnostics.say(f"export.too_large.{payload.signal}", text, every_s=60.0)
    return Outcome(dropped={Outcome.TOO_LARGE: payload.items}, detail=text)


def _accepted(payload: Payload, answer: bytes) -> Outcome:
    said = partial.read(answer)
    rejected = min(max(said.rejected, 0), payload.items)
    if rejected or said.message:
        what = f"rejected {rejected} of {payload.items} items" if rejected else "warns"
        diagnostics.say(
            f"export.partial.{payload.signal}",
            f"the collector {what} ({payload.signal}): {shown(said.message)}",
            every_s=60.0,
        )
    if not rejected:
        return Outcome(delivered=payload.items)
    dropped = {Outcome.REJECTED_BY_COLLECTOR: rejected}
    return Outcome(delivered=payload.items - rejected, dropped=dropped, detail=shown(said.message))
