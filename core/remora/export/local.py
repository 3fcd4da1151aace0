"""Nobody named an endpoint: the local store takes everything until a collector listens on this machine."""

from __future__ import annotations

from time import monotonic

from remora import diagnostics
from remora.export.deadline import Budget
from remora.export.sender import Outcome
from remora.export.wire import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from remora.export.deadline import Haste
    from remora.export.diagnose import Place
    from remora.export.fallback import Settlement
    from remora.export.sender import Payload, Sender

PROBE_TIMEOUT_S = 0.1
PROBE_GAP_S = 10.0


class UntilListened:
    """Stores until a TCP connection to the default endpoint succeeds, then sends; and the other way round."""

    def __init__(
        self,
        sender: Sender,
        settlement: Settlement,
        haste: Haste,
        *,
        place: Callable[[], Place],
        probe_gap_s: float = PROBE_GAP_S,
    ) -> None:
        self._sender = sender
        self._settlement = settlement
        self._haste = haste
        self._place = place
        self._probe_gap_s = probe_gap_s
        self._probe_at = 0.0
        self.listened = False

    def send(self, payload: Payload, deadline: float) -> Outcome:
        if not self.listened and monotonic() >= self._probe_at:
            self._probe(deadline)
        if not self.listened:
            return self._settlement.store(payload, Outcome.UNREACHABLE, "no endpoint is set and nobody listens")
        outcome = self._sender.send(payload, deadline)
        if outcome.stored:
            self.listened = False
            self._probe_at = monotonic() + self._probe_gap_s
        return outcome

    def _probe(self, deadline: float) -> None:
        place = self._place()
        try:
            connect(place.host, place.port, Budget(min(deadline, monotonic() + PROBE_TIMEOUT_S), self._haste)).close()
        except OSError:
            self._probe_at = monotonic() + self._probe_gap_s
            diagnostics.say(
                "export.local",
                f"no OTLP endpoint is set and nobody listens on {place.host}:{place.port}: "
                "telemetry goes to the local store (remora show)",
                level="info",
            )
        else:
            self.listened = True
            diagnostics.decided("delivery", f"{place.host}:{place.port}", "a collector listens there")
