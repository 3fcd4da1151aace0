"""Says once in a while that deliveries fail and why, and once that they work again."""

from __future__ import annotations

from remora import diagnostics
from remora.export.diagnose import NO_GRPC, explain
from remora.export.reply import ACCEPTED, RETRYABLE, TOO_LARGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remora.export.diagnose import Place
    from remora.export.reply import Reply, Step

_EVERY_S = 60.0
_SHORTEST_SECRET = 4


class Watching:
    """Looks at every reply of the next step. Statuses that may pass are mentioned only when a payload was given up."""

    def __init__(
        self, step: Step, place: Callable[[], Place], headers: Mapping[str, str], *, stores: Callable[[], bool]
    ) -> None:
        self._step = step
        self._find_place = place
        self._place: Place | None = None
        self._secrets = tuple(value for value in headers.values() if len(value) >= _SHORTEST_SECRET)
        self._stores = stores
        self._failing = False
        self.status = 0  # of the last reply; 0 when there was none
        self.trouble = ""  # the last failure in words, "" once deliveries work

    def post(self, signal: str, body: bytes, deadline: float) -> Reply:
        reply = self._step.post(signal, body, deadline)
        self.status = reply.status
        if reply.verdict == ACCEPTED:
            self._works()
        elif reply.verdict != TOO_LARGE and not (reply.verdict == RETRYABLE and reply.status):
            self._fails(reply)
        return reply

    def gave_up(self, reply: Reply) -> None:
        """A payload will not be tried again."""
        self._fails(reply)

    def _works(self) -> None:
        self.trouble = ""
        if self._failing:
            self._failing = False
            place = self._where()
            diagnostics.say(
                f"export {place.host}:{place.port} recovered",
                f"delivery to {place.shown} works again",
                level="info",
                every_s=_EVERY_S,
            )

    def words(self, reply: Reply) -> str:
        """What the reply means, in one line without the values of our headers."""
        return self._explained(reply)[1]

    def _explained(self, reply: Reply) -> tuple[str, str]:
        kind, text = explain(reply, self._where())
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return kind, text

    def _fails(self, reply: Reply) -> None:
        place = self._where()
        kind, text = self._explained(reply)
        self.trouble = text
        self._failing = True
        kept = "; telemetry is kept in the local store meanwhile" if self._stores() else ""
        where = place.shown if kind.startswith("status 40") else f"{place.host}:{place.port}"
        diagnostics.say(
            f"export {where} {kind}",
            f"cannot deliver to {place.shown}: {text}{kept}",
            every_s=None if kind == NO_GRPC else _EVERY_S,
        )

    def _where(self) -> Place:
        if self._place is None:
            self._place = self._find_place()
        return self._place
