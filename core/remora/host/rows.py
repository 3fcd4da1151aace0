"""The table of plugins: where each stands, why, and since when; what ``remora doctor`` shows."""

from __future__ import annotations

import sys
import time

from remora.diagnostics import decided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from remora.host.arming import Undoable
    from remora.host.manifest import Instrumentation, Producer
    from remora.host.quarantine import Faults
    from remora.host.verdict import Verdict

# Kinds.
PLUGIN: Final = "plugin"
GUEST: Final = "guest"
PRODUCER: Final = "producer"

# States.
WAITING: Final = "waiting"
PATCHED: Final = "patched"
UNTESTED: Final = "patched-untested"
RUNNING: Final = "running"
REFUSED: Final = "refused"
DISABLED: Final = "disabled"
FAILED: Final = "failed"
QUARANTINED: Final = "quarantined"

_DONE = frozenset((REFUSED, DISABLED, FAILED, QUARANTINED))


class Row:
    """One plugin in this process.

    ``instrumentation`` is the manifest's row, None for guests and producers. ``source`` names the entry point.
    ``supports`` and ``targets`` are the requirements on the library and the modules waited for. ``version`` is the
    library's, None until it matters; ``verdict`` what was thought of it. ``faults`` counts what goes wrong at run time.
    ``patcher`` is what patched it.
    """

    __slots__ = (
        "changed_ns",
        "faults",
        "instrumentation",
        "kind",
        "name",
        "patcher",
        "producer",
        "reason",
        "source",
        "state",
        "supports",
        "targets",
        "verdict",
        "version",
    )

    def __init__(
        self,
        kind: str,
        name: str,
        source: str,
        *,
        supports: tuple[str, ...] = (),
        targets: tuple[str, ...] = (),
        instrumentation: Instrumentation | None = None,
        producer: Producer | None = None,
    ) -> None:
        self.kind = kind
        self.name = name
        self.source = source
        self.supports = supports
        self.targets = targets
        self.instrumentation = instrumentation
        self.producer = producer
        self.state: str = WAITING
        self.reason = ""
        self.version: str | None = None
        self.verdict: Verdict | None = None
        self.changed_ns = time.time_ns()
        self.faults: Faults | None = None
        self.patcher: Undoable | None = None

    @property
    def done(self) -> bool:
        """Whether nothing will ever be patched for this row any more."""
        return self.state in _DONE

    def move(self, state: str, reason: str = "") -> None:
        self.state = state
        self.reason = reason
        self.changed_ns = time.time_ns()
        decided(f"{self.kind} {self.name}", state, reason)

    def as_of_now(self) -> Row:
        """A copy that does not change any more."""
        copy = object.__new__(Row)
        for slot in Row.__slots__:
            setattr(copy, slot, getattr(self, slot))
        return copy

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "kind": self.kind,
            "name": self.name,
            "state": self.state,
            "reason": self.reason,
            "version": self.version,
            "supports": list(self.supports),
            "targets": list(self.targets),
            "source": self.source,
            "convention": self.instrumentation.convention if self.instrumentation is not None else None,
            "signal": self.producer.signal if self.producer is not None else None,
            "faults": self.faults.count if self.faults is not None else 0,
            "last_fault": self.faults.last if self.faults is not None else None,
            "imported": any(target in sys.modules for target in self.targets),
            "changed_ns": self.changed_ns,
        }

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name} {self.state}{': ' + self.reason if self.reason else ''}>"
