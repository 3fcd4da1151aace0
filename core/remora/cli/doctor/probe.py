"""One span through the real export chain, to see what the endpoint says."""

from __future__ import annotations

import os
from dataclasses import dataclass
from time import monotonic, time_ns

import remora
from remora.export import chain
from remora.export.sender import Payload
from remora.otlp.traces import TraceBuffer
from remora.telemetry import resource
from remora.telemetry.names import SERVICE_NAME
from remora.telemetry.scope import Scope
from remora.telemetry.spans_cy import blank_span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from remora.export.sender import Outcome
    from remora.settings import Settings

TIMEOUT_S: Final = 5.0
SPAN_NAME: Final = "remora doctor probe"
_NO_SECOND_TRY_S: Final = 3600.0


@dataclass(slots=True)
class Probed:
    """``delivered``, or in ``trouble`` what is wrong and what mends it; ``status`` is HTTP's, where known."""

    delivered: bool
    trouble: str
    status: str
    codec: str
    took_s: float


def send(settings: Settings, environ: Mapping[str, str]) -> Probed:
    """Send it to the endpoint of traces. Never to the local store: that is no delivery."""
    otlp = settings.traces_otlp
    delivery = chain.build(
        otlp, version=remora.__version__, fallback=None, environ=environ, first_backoff_s=_NO_SECOND_TRY_S
    )
    started = monotonic()
    try:
        outcome = delivery.send(_payload(settings), started + min(TIMEOUT_S, otlp.timeout_s))
        condition = delivery.condition()
    finally:
        delivery.close()
    took_s = monotonic() - started
    trouble = "" if outcome.delivered else condition["trouble"] or _of_outcome(outcome)
    return Probed(bool(outcome.delivered), trouble, condition.get("status", ""), condition["codec"], took_s)


def _payload(settings: Settings) -> Payload:
    attributes = dict(resource.detect(settings).attributes)
    attributes[SERVICE_NAME] = settings.service_name or "remora-doctor"
    buffer = TraceBuffer(attributes)
    now_ns = time_ns()
    high, low, span_id = (int.from_bytes(os.urandom(8), "big") | 1 for _ in range(3))
    buffer.append(
        blank_span(
            trace_hi=high,
            trace_lo=low,
            span_id=span_id,
            parent_id=0,
            start_ns=now_ns - 1_000_000,
            end_ns=now_ns,
            flags=1,
            kind_code=0,
            span_name=SPAN_NAME,
            scope=Scope("remora.doctor", remora.__version__),
        )
    )
    batch = buffer.take(1, 1 << 20)
    return Payload("traces", batch.body() if batch is not None else b"", 1)


def _of_outcome(outcome: Outcome) -> str:
    reasons = ", ".join(outcome.dropped) or "no reason given"
    return f"{reasons}: {outcome.detail}" if outcome.detail else reasons
