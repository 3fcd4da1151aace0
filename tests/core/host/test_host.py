"""The room as a whole: from installed distributions to a table of who does what and why."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from remora.host import rows
from remora.host.host import Host
from remora.host.installed import Installed

MANIFEST = """
    from remora.api import Instrumentation, Producer, hookimpl

    @hookimpl
    def instrumentations():
        return [
            Instrumentation("acme", supports=("acme>=1,<2",), hooks={"acme": "acme_patch:patch"}, convention="c"),
            Instrumentation("broken", hooks={"broken_library": "acme_patch:fail"}, convention="c"),
            Instrumentation("absent", supports=("not-there>=1",), hooks={"not_there": "acme_patch:f"}, convention="c"),
            Instrumentation("shy", hooks={"acme": "acme_patch:fail"}, convention="c", default_on=False),
        ]

    @hookimpl
    def producers():
        return [
            Producer("profiler", start="acme_patch:start", signal="profiles"),
            Producer("metrics", start="acme_patch:start", signal="metrics", default_on=True),
            Producer("stuck", start="acme_patch:fail", signal="metrics", default_on=True),
        ]
"""
PATCH = """
    started = []

    def patch(library, patcher):
        patcher.replace(library, "answer", "patched")

    def fail(*_):
        raise BaseException("broken")

    def start(*context):
        started.append(context)
"""


@pytest.fixture
def host(site: Any, hooks: Any, manifest: Any) -> Host:
    manifest(MANIFEST)
    site.module("acme", "answer = 'original'")
    site.module("broken_library")
    site.module("acme_patch", PATCH)
    site.install("acme", "1.5")
    return Host(Installed([str(site.folder)]), hooks)


def states(host: Host) -> dict[str, tuple[str, str]]:
    return {row.name: (row.state, row.reason) for row in host.report()}


def test_the_table_tells_of_every_plugin_where_it_stands_and_why(host: Host, settings: Any, patchers: Any) -> None:
    host.arm(settings(disabled=["broken"]), patchers)
    assert importlib.import_module("acme").answer == "patched"
    assert states(host) == {
        "acme": (rows.PATCHED, ""),
        "broken": (rows.DISABLED, "disabled by OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=broken"),
        "absent": (rows.WAITING, "not-there is not installed"),
        "shy": (rows.DISABLED, "off unless asked for: add shy to REMORA_INSTRUMENTATIONS"),
        "profiler": (rows.DISABLED, "off unless asked for: add profiler to REMORA_INSTRUMENTATIONS"),
        "metrics": (rows.WAITING, ""),
        "stuck": (rows.WAITING, ""),
    }


def test_a_library_that_is_there_but_not_used_is_told_with_its_version(
    host: Host, settings: Any, patchers: Any
) -> None:
    host.arm(settings(), patchers)
    row = next(row for row in host.report() if row.name == "acme")
    assert (row.state, row.reason, row.version) == (rows.WAITING, "not imported: acme", "1.5")
    json.dumps([row.as_dict() for row in host.report()])


def test_the_table_is_a_copy_that_later_events_do_not_change(host: Host, settings: Any, patchers: Any) -> None:
    host.arm(settings(), patchers)
    before = host.report()
    importlib.import_module("acme")
    assert before[0].state == rows.WAITING
    assert host.report()[0].state == rows.PATCHED


def test_one_broken_plugin_leaves_the_others_working(host: Host, settings: Any, patchers: Any) -> None:
    host.arm(settings(), patchers)
    importlib.import_module("broken_library")
    assert importlib.import_module("acme").answer == "patched"
    assert states(host)["broken"][0] == rows.FAILED
    assert states(host)["acme"][0] == rows.PATCHED


def test_wanted_producers_are_started_with_what_they_need(host: Host, settings: Any, patchers: Any) -> None:
    host.arm(settings(instrumentations=["*", "profiler"], disabled=["metrics"]), patchers)
    host.start_producers("hall", 7)
    assert sys.modules["acme_patch"].started == [("hall", 7)]
    shown = states(host)
    assert shown["profiler"] == (rows.RUNNING, "")
    assert shown["metrics"][0] == rows.DISABLED
    assert shown["stuck"] == (rows.FAILED, "acme_patch:fail failed: BaseException: broken")
    host.start_producers("hall", 7)
    assert len(sys.modules["acme_patch"].started) == 1


def test_a_misspelt_name_in_a_list_is_told_with_the_right_one(
    host: Host, settings: Any, patchers: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    host.arm(settings(disabled=["acmee", "tortoiseorm"]), patchers)
    assert host.problems == [
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=acmee matches no plugin; did you mean acme?",
    ]
    assert capfd.readouterr().err.count("\n") == 1


def test_disarming_takes_every_patch_back(host: Host, settings: Any, patchers: Any) -> None:
    host.arm(settings(), patchers)
    acme = importlib.import_module("acme")
    host.disarm()
    assert acme.answer == "original"
    assert importlib.reload(acme).answer == "original"
    assert {state for state, _ in states(host).values()} == {rows.DISABLED}


def test_a_library_whose_import_was_not_seen_is_told_as_such(host: Host, settings: Any, patchers: Any) -> None:
    host.arm(settings(), patchers)
    sys.modules["acme"] = sys
    try:
        assert "came in past the import hooks" in states(host)["acme"][1]
    finally:
        del sys.modules["acme"]


def test_a_broken_manifest_is_among_the_problems(host: Host, settings: Any, patchers: Any, site: Any) -> None:
    site.module("bad_manifest", "import not_there_either")
    site.install("bad", entry_points={"remora": {"bad": "bad_manifest"}})
    host.arm(settings(), patchers)
    assert len(host.problems) == 1
    assert "No module named 'not_there_either'" in host.problems[0]
    assert importlib.import_module("acme").answer == "patched"


def test_the_host_arms_without_importing_what_is_heavy_or_a_library(site: Any, manifest: Any) -> None:
    manifest(MANIFEST)
    site.module("acme")
    site.install("opentelemetry-instrumentation-x", entry_points={"opentelemetry_instrumentor": {"x": "otel_x:X"}})
    code = """if True:
        import sys
        before = set(sys.modules)
        from remora.host.host import Host
        from types import SimpleNamespace
        host = Host()
        host.arm(SimpleNamespace(
            instrumentations=("*",), disabled_instrumentations=(), quarantine_after=10), lambda row: None)
        assert {"acme", "x"} <= {row.name for row in host.report()}
        loaded = set(sys.modules) - before
        heavy = {"wrapt", "asyncio", "logging", "ssl", "http.client", "opentelemetry", "importlib.metadata",
                 "packaging", "subprocess", "tempfile", "json", "signal", "dataclasses", "pathlib", "acme",
                 "acme_patch"}
        assert not loaded & heavy, loaded & heavy
        assert "pluggy" not in loaded
        assert not [name for name in loaded if name.startswith("remora_plugins.") and "manifest" not in name
                    and name.count(".") > 1]
    """
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site.folder), *sys.path])}
    subprocess.run([sys.executable, "-c", code], check=True, env=environ, timeout=60)
