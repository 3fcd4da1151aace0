"""pluggy's side of the host: validates a plugin against the hooks and finds what it implements."""

from __future__ import annotations

import pluggy

from remora.host import hookspecs
from remora.host.marking import HOOKS, PROJECT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Registry:
    """Plugins by their names, in one pluggy manager."""

    def __init__(self) -> None:
        self._plugins = pluggy.PluginManager(PROJECT)
        self._plugins.add_hookspecs(hookspecs)

    def hooks(self, plugin: object, name: str) -> tuple[list[tuple[str, Callable[[], object]]], list[str]]:
        """What ``plugin`` implements, in the order of ``HOOKS``, and the names of hooks that do not exist.

        Raises what pluggy raises for an invalid plugin.
        """
        self._plugins.register(plugin, name)
        unknown = [
            hook.name
            for hook in self._plugins.get_hookcallers(plugin) or ()
            if not hook.has_spec() and not all(one.optionalhook for one in hook.get_hookimpls())
        ]
        # One implementation at a time: calling the hook would end at the first plugin that raises, and forget which
        # plugin a row came from.
        known = [
            (hook, one.function)
            for hook in HOOKS
            for one in getattr(self._plugins.hook, hook).get_hookimpls()
            if one.plugin_name == name
        ]
        return known, unknown
