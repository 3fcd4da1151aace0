"""Manifests are found and read; a broken one costs nobody else anything and is told in one line."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from remora.host.discovery import Discovery, discover
from remora.host.installed import Installed

GOOD = """
    from remora.api import Instrumentation, Producer, hookimpl

    @hookimpl
    def instrumentations():
        return [Instrumentation("good", hooks={"good_library": "good_patch:patch"}, convention="http.client")]

    @hookimpl
    def producers():
        return [Producer("good_profiler", start="good_profiler:start", signal="profiles")]
"""


def rows_of(name: str, *names: str) -> str:
    rows = ", ".join(f'Instrumentation("{row}", hooks={{"x": "{name}:f"}}, convention="c")' for row in names)
    return (
        f"from remora.api import Instrumentation, hookimpl\n@hookimpl\ndef instrumentations():\n    return [{rows}]\n"
    )


def found(site: Any) -> Discovery:
    return discover(Installed([str(site.folder)]).entry_points("remora")["remora"])


def test_rows_of_every_manifest_are_collected_and_their_libraries_are_not_imported(site: Any, manifest: Any) -> None:
    site.module("good_library")
    site.module("good_patch")
    manifest(GOOD, name="good")
    manifest(rows_of("other", "other"), name="other")
    discovery = found(site)
    assert list(discovery.instrumentations) == ["good", "other"]
    assert list(discovery.producers) == ["good_profiler"]
    assert discovery.problems == []
    assert not {"good_library", "good_patch", "good_profiler"} & set(sys.modules)


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("import acme_needs_this", "ModuleNotFoundError: No module named 'acme_needs_this'; install what it needs"),
        ("raise ImportError('two\\nlines')", "ImportError: two lines; upgrade or uninstall acme-otel"),
        ("def broken(:", "SyntaxError: invalid syntax"),
        ("raise BaseException('not even an Exception')", "BaseException: not even an Exception"),
        ("from asyncio import CancelledError; raise CancelledError", "CancelledError"),
        ("from remora.api import nothing_of_that_name", "ImportError: cannot import name 'nothing_of_that_name'"),
        (
            "from remora.api import hookimpl\n@hookimpl\ndef instrumentations(config): return []",
            "PluginValidationError",
        ),
        (
            "from remora.api import hookimpl\n@hookimpl\ndef instrumentations(): raise KeyError('x')",
            "failed in instrumentations(): KeyError: 'x'",
        ),
        (
            "from remora.api import hookimpl\n@hookimpl\ndef producers(): raise GeneratorExit",
            "failed in producers(): GeneratorExit",
        ),
        (
            "from remora.api import hookimpl\n@hookimpl\ndef instrumentations(): pass",
            "returned NoneType from instrumentations(); return a list of Instrumentation rows",
        ),
        (
            "from remora.api import hookimpl\n@hookimpl\ndef instrumentations(): return 'requests'",
            "returned str from instrumentations()",
        ),
        (
            "from remora.api import hookimpl\n@hookimpl\ndef instrumentations(): return [{'name': 'requests'}]",
            "returned dict from instrumentations()",
        ),
        (
            (
                "from remora.api import hookimpl, Instrumentation\n@hookimpl\n"
                "def instrumentations(): return [Instrumentation('acme', hooks={'a': 'b'}, convention='c')]"
            ),
            "Instrumentation 'acme': hooks['a'] is 'b'; write \"package.module:function\"",
        ),
        (
            "from remora.api import hookimpl\n@hookimpl\ndef instrumentation(): return []",
            "implements 'instrumentation', but the hooks are 'instrumentations' and 'producers'",
        ),
        (
            "class Odd(Exception):\n    def __str__(self): raise ValueError\nraise Odd",
            "does not load: Odd; upgrade",
        ),
    ],
)
def test_a_broken_manifest_is_told_in_one_line_and_harms_nobody(
    site: Any, manifest: Any, capfd: pytest.CaptureFixture[str], source: str, cause: str
) -> None:
    manifest(source)
    manifest(GOOD, name="good")
    discovery = found(site)
    assert list(discovery.instrumentations) == ["good"]
    assert len(discovery.problems) == 1
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("remora: plugin acme = acme_manifest of acme-otel ")
    assert cause in said[0]


def test_an_entry_point_that_names_no_module_is_told(site: Any, capfd: pytest.CaptureFixture[str]) -> None:
    site.install("acme-otel", entry_points={"remora": {"gone": "acme_gone", "odd": "sys:nothing_here", "none": ""}})
    assert len(found(site).problems) == 3
    said = capfd.readouterr().err
    assert "No module named 'acme_gone'" in said
    assert "has no attribute 'nothing_here'" in said


@pytest.mark.parametrize("end", ["KeyboardInterrupt", "SystemExit"])
def test_the_end_of_the_process_is_not_kept_from_it(site: Any, manifest: Any, end: str) -> None:
    manifest(f"raise {end}")
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        found(site)


def test_good_rows_count_beside_bad_ones_of_the_same_plugin(site: Any, manifest: Any) -> None:
    manifest(
        """
        from remora.api import Instrumentation, hookimpl

        @hookimpl
        def instrumentations():
            yield Instrumentation("one", hooks={"one": "p:f"}, convention="c")
            yield None
            yield Instrumentation("two", hooks={"two": "p:f"}, convention="c")

        @hookimpl
        def producers():
            raise RuntimeError("no")
        """
    )
    discovery = found(site)
    assert list(discovery.instrumentations) == ["one", "two"]
    assert len(discovery.problems) == 2


def test_of_two_rows_of_one_name_the_first_counts_and_that_is_said_once(
    site: Any, manifest: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    manifest(rows_of("aaa", "same"), name="aaa")
    manifest(rows_of("bbb", "same", "same", "own"), name="bbb")
    discovery = found(site)
    assert {name: str(point) for name, (_, point) in discovery.instrumentations.items()} == {
        "same": "aaa = aaa_manifest of aaa-otel",
        "own": "bbb = bbb_manifest of bbb-otel",
    }
    said = capfd.readouterr().err
    assert said.count("'same' is left out: aaa = aaa_manifest of aaa-otel has that name") == 1


def test_ours_come_before_those_of_others_whatever_their_names(site: Any, manifest: Any) -> None:
    manifest(rows_of("aaa", "requests"), name="aaa")
    site.module("remora_plugins.__init__")
    site.module("remora_plugins.manifest_of_test", rows_of("x", "requests", "flask"))
    site.install("zzz", entry_points={"remora": {"zzz": "remora_plugins.manifest_of_test"}})
    kept = {name: module for name, module in sys.modules.items() if name.startswith("remora_plugins")}
    for name in kept:
        del sys.modules[name]
    try:
        discovery = found(site)
    finally:
        sys.modules.update(kept)
    assert [str(point) for _, point in discovery.instrumentations.values()] == [
        "zzz = remora_plugins.manifest_of_test of zzz",
        "zzz = remora_plugins.manifest_of_test of zzz",
    ]


def test_a_manifest_under_two_names_is_read_once(site: Any) -> None:
    site.module("twice_manifest", rows_of("x", "only"))
    site.install("twice", entry_points={"remora": {"one": "twice_manifest", "two": "twice_manifest"}})
    discovery = found(site)
    assert list(discovery.instrumentations) == ["only"]
    assert discovery.problems == []


def test_an_object_in_a_module_can_be_the_plugin(site: Any) -> None:
    site.module(
        "with_object",
        """
        from remora.api import Instrumentation, hookimpl

        class Plugin:
            @hookimpl
            def instrumentations(self):
                return (Instrumentation("of_object", hooks={"x": "y:z"}, convention="c"),)

        plugin = Plugin()
        """,
    )
    site.install("with-object", entry_points={"remora": {"object": "with_object:plugin"}})
    assert list(found(site).instrumentations) == ["of_object"]


def test_a_hook_of_a_later_remora_is_passed_over_when_it_is_marked_optional(site: Any, manifest: Any) -> None:
    manifest(rows_of("x", "now") + "@hookimpl(optionalhook=True)\ndef exporters(): return []\n")
    discovery = found(site)
    assert list(discovery.instrumentations) == ["now"]
    assert discovery.problems == []


def test_a_manifest_without_a_hook_is_told_where_to_mark_it(site: Any, manifest: Any, capfd: Any) -> None:
    manifest("def instrumentations():\n    return []\n")
    (problem,) = found(site).problems
    assert "acme = acme_manifest of acme-otel implements no hook" in problem
    assert "write @hookimpl (from remora.api) above instrumentations() in acme_manifest" in problem
    assert capfd.readouterr().err.count(problem) == 1
