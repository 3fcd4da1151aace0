"""Counts what goes wrong in a plugin while the program runs, and has it taken out when that was too often."""

from __future__ import annotations

from itertools import count

from remora.diagnostics import fault_text, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Each is told every fault, in one line: for tests, in which no fault may pass.
witnesses: list[Callable[[str], object]] = []


class Faults:
    """The faults of one plugin.

    ``on_quarantine`` is called once, with the reason, by the thread that meets fault number ``limit``; a limit of 0
    counts for ever. ``modules`` are those that the plugin patches with. ``quarantined`` may be read on a hot path.
    """

    __slots__ = ("_limit", "_modules", "_numbers", "_on_quarantine", "count", "last", "name", "quarantined")

    def __init__(
        self, limit: int, on_quarantine: Callable[[str], None], name: str = "plugin", modules: Sequence[str] = ()
    ) -> None:
        self._limit = limit
        self._modules = tuple(modules)
        self._on_quarantine = on_quarantine
        self._numbers = count(1)
        self.name = name
        self.count = 0
        self.last: str | None = None
        self.quarantined = False

    def fault(self, where: str, failure: BaseException) -> None:
        """Count ``failure`` of the plugin's function ``where``. Never raises, whatever the failure's text does."""
        try:
            number = next(self._numbers)  # atomic, so of many threads exactly one gets the number of the limit
            self.count = max(self.count, number)
            from remora.host import blame  # deferred: a plugin without faults, so nearly every one, has no use for it

            self.last = f"{where}: {blame.told(failure, self._modules)}"
            for witness in tuple(witnesses):
                witness(f"plugin {self.name}: fault in {self.last}")
            if number == self._limit:
                self.quarantined = True
                self._on_quarantine(f"{number} faults, the last in {self.last}")
            elif number == 1:
                limit = f"; the plugin is taken out after {self._limit} of them" if self._limit else ""
                say(f"host.fault.{self.name}", f"plugin {self.name}: fault in {self.last}; the program went on{limit}")
        except Exception as own:
            say(f"host.faults.{self.name}", f"plugin {self.name}: counting its faults failed: {fault_text(own)}")
