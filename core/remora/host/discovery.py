"""From entry points to rows: loads manifests through pluggy, one by one, so that a broken one harms only itself."""

from __future__ import annotations

import pluggy

from remora.diagnostics import say
from remora.host import hookspecs
from remora.host.manifest import Instrumentation, Producer
from remora.host.references import resolve, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeVar

    from remora.host.installed import EntryPoint

    Data = TypeVar("Data", Instrumentation, Producer)

_OURS = "remora_plugins."


def discover(entry_points: Sequence[EntryPoint]) -> Discovery:
    """Load every manifest and ask it for its rows; Remora's own come first, then the order given."""
    discovery = Discovery()
    for entry_point in sorted(entry_points, key=lambda entry_point: not entry_point.value.startswith(_OURS)):
        discovery.take(entry_point)
    return discovery


class Discovery:
    """What the manifests said: ``instrumentations`` and ``producers`` with their entry points, and the ``problems``."""

    def __init__(self) -> None:
        self.instrumentations: dict[str, tuple[Instrumentation, EntryPoint]] = {}
        self.producers: dict[str, tuple[Producer, EntryPoint]] = {}
        self.problems: list[str] = []
        self._plugins = pluggy.PluginManager(hookspecs.PROJECT)
        self._plugins.add_hookspecs(hookspecs)

    def take(self, entry_point: EntryPoint) -> None:
        """Load one manifest and keep its rows. Only KeyboardInterrupt and SystemExit pass."""
        plugin = self._load(entry_point)
        if plugin is None:
            return
        self._check_pending(plugin, entry_point)
        self._keep(self.instrumentations, "instrumentations", Instrumentation, entry_point)
        self._keep(self.producers, "producers", Producer, entry_point)

    def _load(self, entry_point: EntryPoint) -> object | None:
        try:
            plugin = resolve(entry_point.value)
            if self._plugins.is_registered(plugin):
                return None  # the same manifest under a second name: its rows are there already
            self._plugins.register(plugin, str(entry_point))
            return plugin
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as failure:
            mend = "upgrade or uninstall"
            if isinstance(failure, ModuleNotFoundError):
                mend = "install what it needs, or uninstall"
            mend = f"{mend} {entry_point.distribution.name}"
            self._problem(entry_point, "load", f"does not load: {told(failure)}; {mend}")
            return None

    def _check_pending(self, plugin: object, entry_point: EntryPoint) -> None:
        hooks = self._plugins.get_hookcallers(plugin) or ()
        if not hooks:
            written = [name for name in ("instrumentations", "producers") if hasattr(plugin, name)]
            subject = f"{written[0]}()" if written else "instrumentations()"
            text = f"implements no hook: write @hookimpl (from remora.api) above {subject}"
            self._problem(entry_point, "nothing", f"{text} in {entry_point.value}")
        for hook in hooks:
            if hook.has_spec() or all(implementation.optionalhook for implementation in hook.get_hookimpls()):
                continue
            text = f"implements {hook.name!r}, but the hooks are 'instrumentations' and 'producers'"
            self._problem(entry_point, hook.name, f"{text}; correct the name, or upgrade remora")

    def _keep(
        self, kept: dict[str, tuple[Data, EntryPoint]], hook_name: str, row_type: type[Data], entry_point: EntryPoint
    ) -> None:
        for row in self._answers(hook_name, entry_point):
            if not isinstance(row, row_type):
                text = f"returned {type(row).__name__} from {hook_name}(); return a list of {row_type.__name__} rows"
                self._problem(entry_point, hook_name, text)
            elif row.name in kept:
                first = kept[row.name][1]
                self._problem(
                    entry_point, f"{hook_name}.{row.name}", f"{row.name!r} is left out: {first} has that name"
                )
            else:
                kept[row.name] = (row, entry_point)

    def _answers(self, hook_name: str, entry_point: EntryPoint) -> Iterator[object]:
        # One implementation at a time: calling the hook would end at the first plugin that raises, and forget which
        # plugin a row came from.
        for implementation in getattr(self._plugins.hook, hook_name).get_hookimpls():
            if implementation.plugin_name != str(entry_point):
                continue
            try:
                answer = implementation.function()
                rows = list(answer) if hasattr(answer, "__iter__") and not isinstance(answer, str) else [answer]
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as failure:
                mend = f"upgrade or uninstall {entry_point.distribution.name}"
                self._problem(entry_point, hook_name, f"failed in {hook_name}(): {told(failure)}; {mend}")
                continue
            yield from rows

    def _problem(self, entry_point: EntryPoint, cause: str, message: str) -> None:
        message = f"plugin {entry_point} {message}"
        self.problems.append(message)
        say(f"host.discovery.{entry_point}.{cause}", message)
