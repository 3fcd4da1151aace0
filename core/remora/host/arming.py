"""Puts a plugin to work at the moment its library is imported, and takes it out again when it fails."""

from __future__ import annotations

from remora.diagnostics import guarded, say
from remora.host import rows
from remora.host.quarantine import Faults
from remora.host.references import resolve, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any, Protocol

    from remora.host.importhooks import Callback, ImportHooks
    from remora.host.installed import Installed
    from remora.host.rows import Row
    from remora.host.verdict import Verdict

    class Undoable(Protocol):
        """What arming asks of a patcher; wrapping an attribute that is wrapped already must change nothing."""

        def undo(self) -> None: ...

    PatcherFactory = Callable[[Row], Undoable]


class Arming:
    """Arms the rows of plugins.

    ``patcher_factory`` is called with a row, once, when its first library module is imported, and gives what the
    plugin patches with. After ``quarantine_after`` faults at run time, counted by ``row.faults``, the plugin is taken
    out.
    """

    def __init__(
        self,
        hooks: ImportHooks,
        installed: Installed,
        patcher_factory: PatcherFactory,
        quarantine_after: int,
        on_patched: Callable[[Row], object] | None = None,
    ) -> None:
        self._hooks = hooks
        self._installed = installed
        self._patcher_factory = patcher_factory
        self._quarantine_after = quarantine_after
        self._on_patched = on_patched

    def arm(self, row: Row) -> None:
        if row.instrumentation is None:
            return
        modules = dict.fromkeys(reference.partition(":")[0] for reference in row.instrumentation.hooks.values())
        row.faults = Faults(
            self._quarantine_after, lambda reason: self._quarantine(row, reason), row.name, tuple(modules)
        )
        for target, reference in row.instrumentation.hooks.items():
            self._hooks.when_imported(target, self._callback(row, target, reference))

    def _callback(self, row: Row, target: str, reference: str) -> Callback:
        return lambda module: self._imported(row, target, reference, module)

    def _imported(self, row: Row, target: str, reference: str, module: ModuleType) -> None:
        # No lock here: two threads may import two modules of one library, and each waits for what the other imports.
        if row.done:
            return
        if row.verdict is None:
            from remora.host.verdict import judge  # not at start: only when a library is imported

            if not accepted(row, judge(row.supports, self._installed.version)):
                return
        try:
            if row.patcher is None:
                row.patcher = self._patcher_factory(row)
            # The patch module is imported only now that its library is: it may import the library, and wrapt.
            patch: Any = resolve(reference)
            patch(module, row.patcher)
        except (KeyboardInterrupt, SystemExit):
            self._fail(row, f"the process was told to end while {reference} patched {target}")
            raise
        except BaseException as failure:
            self._fail(row, f"{reference} failed at the import of {target}: {told(failure)}")
            say(f"host.failed.{row.name}", f"plugin {row.name} of {row.source} is taken out: {row.reason}")
        else:
            armed(row)
            if self._on_patched is not None:
                guarded(f"host.patched.{row.name}", self._on_patched)(row)

    def _fail(self, row: Row, reason: str) -> None:
        row.move(rows.FAILED, reason)
        undo(row)

    def _quarantine(self, row: Row, reason: str) -> None:
        row.move(rows.QUARANTINED, reason)
        undo(row)
        say(f"host.quarantine.{row.name}", f"plugin {row.name} of {row.source} is taken out: {reason}")


def accepted(row: Row, verdict: Verdict) -> bool:
    """Whether the installed version may be patched; a refusal and a doubt are said."""
    row.verdict = verdict
    row.version = verdict.version
    if verdict.standing == "refused":
        row.move(rows.REFUSED, verdict.reason)
        mend = f"upgrade it, or disable {row.name} to silence this line"
        say(f"host.refused.{row.name}", f"{row.kind} {row.name} is not armed: {verdict.reason}; {mend}")
        return False
    if verdict.standing == "untested":
        say(f"host.untested.{row.name}", f"{row.kind} {row.name} is armed all the same: {verdict.reason}", level="info")
    return True


def armed(row: Row) -> None:
    """Its library is patched now; unless another thread took the plugin out while this one patched."""
    if row.done:
        undo(row)
    elif row.state == rows.WAITING:
        reason = "" if row.verdict is None else row.verdict.reason
        row.move(rows.UNTESTED if reason else rows.PATCHED, reason)


def undo(row: Row) -> None:
    """Take back every patch of the row; a patcher that fails at that is said."""
    try:
        if row.patcher is not None:
            row.patcher.undo()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as failure:
        say(f"host.undo.{row.name}", f"plugin {row.name} could not be taken out wholly: {told(failure)}")
