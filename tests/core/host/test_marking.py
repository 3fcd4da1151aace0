"""The mark on a hook is pluggy's own, and what is more than plain is left to pluggy."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pluggy
import pytest

from remora.host.marking import HOOKS, PROJECT, hookimpl, plain_hooks

theirs = pluggy.HookimplMarker(PROJECT)


def module(**members: Any) -> ModuleType:
    made = ModuleType("made")
    vars(made).update(members)
    return made


def test_the_mark_is_what_pluggy_sets() -> None:
    def ours() -> None: ...

    def marked_by_pluggy() -> None: ...

    assert vars(hookimpl(ours)) == vars(theirs(marked_by_pluggy))


def test_options_are_pluggys() -> None:
    @hookimpl(specname="producers", optionalhook=True)
    def mine() -> None: ...

    @theirs(specname="producers", optionalhook=True)
    def its() -> None: ...

    assert vars(mine) == vars(its)


@pytest.mark.parametrize("marker", [hookimpl, theirs])
def test_a_pluggy_manager_calls_what_is_marked(marker: Any) -> None:
    manager = pluggy.PluginManager(PROJECT)
    manager.register(module(instrumentations=marker(lambda: 7)))
    assert manager.hook.instrumentations() == [7]


@pytest.mark.parametrize("marker", [hookimpl, theirs])
def test_plain_hooks_are_read_whoever_marked_them(marker: Any) -> None:
    def instrumentations() -> None: ...

    assert plain_hooks(module(instrumentations=marker(instrumentations), other=len)) == {
        "instrumentations": instrumentations
    }


@pytest.mark.parametrize(
    "plugin",
    [
        module(),
        module(instrumentations=lambda: ()),
        module(instrumentation=hookimpl(lambda: ())),
        module(instrumentations=hookimpl(lambda config: [])),
        module(instrumentations=hookimpl(lambda *, config: [])),
        module(instrumentations=hookimpl(tryfirst=True)(lambda: ())),
        type("Plugin", (), {"instrumentations": staticmethod(hookimpl(lambda: ()))})(),
    ],
)
def test_everything_else_is_for_pluggy(plugin: object) -> None:
    assert plain_hooks(plugin) is None


def test_the_known_hooks_are_the_specified_ones() -> None:
    from remora.host import hookspecs

    assert [name for name, member in vars(hookspecs).items() if hasattr(member, f"{PROJECT}_spec")] == list(HOOKS)


def test_an_odd_manifest_of_another_goes_through_pluggy(site: Any, manifest: Any) -> None:
    from remora.host.discovery import discover
    from remora.host.installed import Installed

    manifest(
        """
        import pluggy

        from remora.api import Instrumentation

        @pluggy.HookimplMarker("remora")(specname="instrumentations")
        def rows():
            return [Instrumentation("odd", hooks={"x": "p:f"}, convention="c")]
        """
    )
    discovery = discover(Installed([str(site.folder)]).entry_points("remora")["remora"])
    assert list(discovery.instrumentations) == ["odd"]
    assert discovery.problems == []
    assert "remora.host.registry" in sys.modules
