"""`remora show --follow`: prints traces as they complete, and again where spans come late."""

from __future__ import annotations

from time import monotonic

from remora.cli.show.gathering import decoded
from remora.cli.traces.tree import Collection
from remora.store.reader import Reader
from remora.store.scan import Damaged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from remora.cli.show.gathering import Wanted
    from remora.cli.traces.tree import Trace
    from remora.store.reader import Stored

QUIET_S: Final = 1.0  # a complete trace is shown when nothing was added for so long
_GIVE_UP_S: Final = 30.0  # one without its root, too
_FORGET_S: Final = 60.0


class Following:
    """Collects spans and hands each trace to ``show(trace, again)`` when it is due."""

    def __init__(
        self,
        wanted: Wanted,
        show: Callable[[Trace, bool], None],
        damage: Callable[[Damaged], None],
        now_s: Callable[[], float] = monotonic,
    ) -> None:
        self._wanted = wanted
        self._show = show
        self._damage = damage
        self._now_s = now_s
        self._collection = Collection()
        self._touched: dict[str, float] = {}  # what waits to be shown, by when its last span came
        self._shown: dict[str, float] = {}

    def run(self, folder: str, since_ns: int) -> None:
        """Goes on until KeyboardInterrupt."""
        for stored in Reader(folder).follow(since_ns=since_ns, ended=self.tick):
            self.take(stored)

    def take(self, stored: Stored | Damaged) -> None:
        if isinstance(stored, Damaged):
            self._damage(stored)
        elif stored.signal == "traces":
            resources = decoded(stored)
            if isinstance(resources, Damaged):
                self._damage(resources)
            else:
                self._touched.update(dict.fromkeys(self._collection.add(resources), self._now_s()))

    def tick(self) -> bool:
        """Shows what is due and forgets what is old. Always False: there is no end."""
        now_s = self._now_s()
        for trace_id, touched_s in list(self._touched.items()):
            quiet_s = now_s - touched_s
            if quiet_s < QUIET_S:
                continue
            trace = self._collection.trace(trace_id)
            if trace.complete or quiet_s >= _GIVE_UP_S:
                del self._touched[trace_id]
                if self._wanted.fits(trace):
                    self._show(trace, trace_id in self._shown)
                self._shown[trace_id] = now_s
        for trace_id, shown_s in list(self._shown.items()):
            if now_s - shown_s > _FORGET_S and trace_id not in self._touched:
                del self._shown[trace_id]
                self._collection.forget(trace_id)
        return False
