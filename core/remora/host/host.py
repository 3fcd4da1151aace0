"""The room's front: find plugins, choose among them, arm them, and tell where each stands."""

from __future__ import annotations

import sys

from remora.diagnostics import decided, say
from remora.host import importhooks, rows
from remora.host.arming import Arming, undo
from remora.host.discovery import discover
from remora.host.installed import INSTRUMENTORS, PLUGINS, Installed
from remora.host.references import resolve, told
from remora.host.rows import Row
from remora.host.selection import Selection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from remora.host.arming import PatcherFactory
    from remora.host.discovery import Discovery
    from remora.host.importhooks import ImportHooks
    from remora.host.installed import EntryPoint
    from remora.host.manifest import Instrumentation
    from remora.settings import Settings


class Host:
    """All plugins of this process. ``problems`` has what could not be loaded or meant, one line each."""

    def __init__(self, installed: Installed | None = None, hooks: ImportHooks | None = None) -> None:
        self.problems: list[str] = []
        self._installed = installed or Installed()
        self._hooks = hooks or importhooks.installed()
        self._rows: list[Row] = []

    def arm(
        self,
        settings: Settings,
        patcher_factory: PatcherFactory,
        on_patched: Callable[[Row], object] | None = None,
    ) -> None:
        """Load the manifests and have every wanted plugin wait for its library; what is imported already is patched.

        ``patcher_factory(row)`` makes what a plugin patches with, when it first patches. A fault of one plugin is said
        and costs that plugin only. To be called once.
        """
        found = self._installed.entry_points(PLUGINS, INSTRUMENTORS)
        manifests = discover(found[PLUGINS])
        self.problems += manifests.problems
        selection = Selection(settings.instrumentations, settings.disabled_instrumentations)
        arming = Arming(self._hooks, self._installed, patcher_factory, settings.quarantine_after, on_patched)
        natives = self._admit(manifests, selection)
        for row in natives:
            arming.arm(row)
        if found[INSTRUMENTORS]:
            self._invite(found[INSTRUMENTORS], selection, natives)
        self._note_unmatched(selection)

    def start_producers(self, *context: object) -> None:
        """Import and call ``start(*context)`` of every wanted producer; one that raises is said and passed over."""
        for row in self._rows:
            if row.producer is None or row.state != rows.WAITING:
                continue
            try:
                start: Any = resolve(row.producer.start)
                start(*context)
                row.move(rows.RUNNING)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as failure:
                row.move(rows.FAILED, f"{row.producer.start} failed: {told(failure)}")
                say(f"host.failed.producer.{row.name}", f"producer {row.name} of {row.source}: {row.reason}")

    def report(self) -> list[Row]:
        """Where every plugin stands now: copies, in which the waiting ones tell what they wait for."""
        shown = [row.as_of_now() for row in self._rows]
        for row in shown:
            if row.state == rows.WAITING and row.kind != rows.PRODUCER and not row.reason:
                row.version, row.reason = self._awaited(row)
        return shown

    def disarm(self) -> None:
        """Take out every plugin and wait for nothing more; guests that are at work stay, they are not ours to undo."""
        for row in self._rows:
            if not row.done and (row.state == rows.WAITING or row.kind == rows.PLUGIN):
                row.move(rows.DISABLED, "taken out")
                undo(row)

    def _admit(self, manifests: Discovery, selection: Selection) -> list[Row]:
        """The rows of wanted instrumentations; all others are only remembered."""
        wanted = []
        for instrumentation, entry_point in manifests.instrumentations.values():
            row = Row(
                rows.PLUGIN,
                instrumentation.name,
                str(entry_point),
                supports=instrumentation.supports,
                targets=tuple(instrumentation.hooks),
                instrumentation=instrumentation,
            )
            if self._is_wanted(row, selection, instrumentation.default_on):
                wanted.append(row)
        for producer, entry_point in manifests.producers.values():
            row = Row(rows.PRODUCER, producer.name, str(entry_point), producer=producer)
            self._is_wanted(row, selection, producer.default_on)
        return wanted

    def _invite(self, entry_points: list[EntryPoint], selection: Selection, natives: list[Row]) -> None:
        try:
            from remora.host.foreign import Guests  # only where instrumentors are installed

            instrumentations: list[Instrumentation] = [row.instrumentation for row in natives if row.instrumentation]
            guests = Guests(self._hooks, self._installed)
            guests.invite(entry_points, instrumentations, lambda row: self._is_wanted(row, selection))
        except Exception as failure:
            self._problem("guests", f"OpenTelemetry instrumentors cannot ride along: {told(failure)}")

    def _is_wanted(self, row: Row, selection: Selection, default_on: bool = True) -> bool:
        self._rows.append(row)
        choice = selection.choose(row.kind, row.name, _also_known_as(row), default_on)
        if not choice.on:
            row.move(rows.DISABLED, choice.reason)
        return choice.on

    def _awaited(self, row: Row) -> tuple[str | None, str]:
        from remora.host.versions import requirement  # not at start

        names = [requirement(text)[0] for text in row.supports]
        version = next(filter(None, map(self._installed.version, names)), None)
        if names and version is None:
            return None, f"{' or '.join(names)} is not installed"
        unseen = next((target for target in row.targets if target in sys.modules), None)
        if unseen is not None:
            return version, f"{unseen} came in past the import hooks, or another module stands under its name"
        return version, f"not imported: {', '.join(row.targets)}"

    def _note_unmatched(self, selection: Selection) -> None:
        for note, nearest in selection.unmatched():
            if nearest is None:
                decided("selection", "without effect", note)  # one list for many services names what some do not have
            else:
                self._problem(note, f"{note}; did you mean {nearest}?")

    def _problem(self, cause: str, message: str) -> None:
        self.problems.append(message)
        say(f"host.{cause}", message)


def _also_known_as(row: Row) -> set[str]:
    """Import names and distributions of the library, by which users know it too."""
    names = {target.partition(".")[0] for target in row.targets}
    for text in row.supports:
        end = next((at for at, character in enumerate(text) if not (character.isalnum() or character in "-_.")), None)
        names.add(text[:end])
    return names
