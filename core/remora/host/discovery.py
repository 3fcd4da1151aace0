"""From entry points to rows: loads manifests one by one, so that a broken one harms only itself.

A plain manifest is asked directly; what is more than plain goes through pluggy.
"""

from __future__ import annotations

from remora.diagnostics import say
from remora.host.manifest import Instrumentation, Producer
from remora.host.marking import HOOKS, plain_hooks
from remora.host.references import resolve, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, TypeVar

    from remora.host.installed import EntryPoint
    from remora.host.registry import Registry

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
        self._read: list[object] = []
        self._registry: Registry | None = None

    def take(self, entry_point: EntryPoint) -> None:
        """Load one manifest and keep its rows. Only KeyboardInterrupt and SystemExit pass."""
        for hook_name, hook in self._hooks(entry_point):
            row_type = Instrumentation if hook_name == "instrumentations" else Producer
            kept: dict[str, tuple[Any, EntryPoint]] = getattr(self, hook_name)
            self._keep(kept, hook_name, row_type, hook, entry_point)

    def _hooks(self, entry_point: EntryPoint) -> list[tuple[str, Callable[[], object]]]:
        try:
            plugin = resolve(entry_point.value)
            if any(read is plugin for read in self._read):
                return []  # the same manifest under a second name: its rows are there already
            self._read.append(plugin)
            if (plain := plain_hooks(plugin)) is not None:
                return [(name, plain[name]) for name in HOOKS if name in plain]
            return self._validated(plugin, entry_point)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as failure:
            mend = "upgrade or uninstall"
            if isinstance(failure, ModuleNotFoundError):
                mend = "install what it needs, or uninstall"
            mend = f"{mend} {entry_point.distribution.name}"
            self._problem(entry_point, "load", f"does not load: {told(failure)}; {mend}")
            return []

    def _validated(self, plugin: object, entry_point: EntryPoint) -> list[tuple[str, Callable[[], object]]]:
        if self._registry is None:
            from remora.host.registry import Registry  # imports pluggy

            self._registry = Registry()
        known, unknown = self._registry.hooks(plugin, str(entry_point))
        if not known and not unknown:
            written = [name for name in HOOKS if hasattr(plugin, name)]
            subject = f"{written[0]}()" if written else "instrumentations()"
            text = f"implements no hook: write @hookimpl (from remora.api) above {subject}"
            self._problem(entry_point, "nothing", f"{text} in {entry_point.value}")
        for name in unknown:
            text = f"implements {name!r}, but the hooks are 'instrumentations' and 'producers'"
            self._problem(entry_point, name, f"{text}; correct the name, or upgrade remora")
        return known

    def _keep(
        self,
        kept: dict[str, tuple[Data, EntryPoint]],
        hook_name: str,
        row_type: type[Data],
        hook: Callable[[], object],
        entry_point: EntryPoint,
    ) -> None:
        for row in self._answers(hook_name, hook, entry_point):
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

    def _answers(self, hook_name: str, hook: Callable[[], object], entry_point: EntryPoint) -> Iterator[object]:
        try:
            answer = hook()
            if hasattr(answer, "__iter__") and not isinstance(answer, str):
                yield from list(answer)
            else:
                yield answer
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as failure:
            mend = f"upgrade or uninstall {entry_point.distribution.name}"
            self._problem(entry_point, hook_name, f"failed in {hook_name}(): {told(failure)}; {mend}")

    def _problem(self, entry_point: EntryPoint, cause: str, message: str) -> None:
        message = f"plugin {entry_point} {message}"
        self.problems.append(message)
        say(f"host.discovery.{entry_point}.{cause}", message)
