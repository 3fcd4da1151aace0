"""From an imported library to a patched one, and back when a plugin fails."""

from __future__ import annotations

import importlib
import json
import sys
import threading
from typing import Any

import pytest

from remora.host import rows
from remora.host.arming import Arming
from remora.host.installed import Installed
from remora.host.manifest import Instrumentation
from remora.host.rows import Row

PATCH = """
    def patch(library, patcher):
        patcher.replace(library, "answer", lambda: "patched " + library.__name__)

    def fail(library, patcher):
        patch(library, patcher)
        raise AttributeError("library has no attribute 'Session'")

    def fail_worse(library, patcher):
        patch(library, patcher)
        raise BaseException("worse")

    def interrupt(library, patcher):
        patch(library, patcher)
        raise KeyboardInterrupt
"""
LIBRARY = "def answer():\n    return 'original'\n"


@pytest.fixture
def arm(site: Any, hooks: Any, patchers: Any) -> Any:
    """Arms a row for the library ``acme_library`` and returns the row."""
    site.module("acme_library.__init__", LIBRARY)
    site.module("acme_library.more", LIBRARY)
    site.module("acme_patch", PATCH)
    arming = Arming(hooks, Installed(), patchers, 3)

    def armed(name: str = "acme", supports: tuple[str, ...] = (), **targets: str) -> Row:
        wanted = {key.replace("__", "."): f"acme_patch:{value}" for key, value in targets.items()}
        instrumentation = Instrumentation(
            name, supports=supports, hooks=wanted or {"acme_library": "acme_patch:patch"}, convention="http.client"
        )
        row = Row(
            rows.PLUGIN,
            name,
            "acme = acme_manifest of acme-otel",
            supports=supports,
            targets=tuple(instrumentation.hooks),
            instrumentation=instrumentation,
        )
        arming.arm(row)
        return row

    return armed


def answer(module: str = "acme_library") -> str:
    result: str = importlib.import_module(module).answer()
    return result


def test_a_library_is_patched_when_the_program_imports_it_and_not_before(arm: Any) -> None:
    row = arm()
    assert row.state == rows.WAITING
    assert not {"acme_library", "acme_patch"} & set(sys.modules)
    assert answer() == "patched acme_library"
    assert row.state == rows.PATCHED


def test_a_library_that_is_imported_already_is_patched_at_once(arm: Any) -> None:
    assert answer() == "original"
    assert arm().state == rows.PATCHED
    assert answer() == "patched acme_library"


def test_the_hooks_of_a_row_share_one_patcher_and_other_rows_have_their_own(arm: Any, patchers: Any) -> None:
    row = arm(acme_library="patch", acme_library__more="patch")
    other = arm("other", acme_library__more="patch")
    assert (answer(), answer("acme_library.more")) == ("patched acme_library", "patched acme_library.more")
    assert len(patchers.made["acme"]) == len(patchers.made["other"]) == 1
    assert patchers.made["acme"][0].row is row
    assert patchers.made["other"][0].row is other


def test_a_tested_version_is_patched_without_a_word(arm: Any, site: Any, capfd: pytest.CaptureFixture[str]) -> None:
    site.install("acme-library", "2.5")
    row = arm(supports=("acme-library>=2,<3",))
    assert answer() == "patched acme_library"
    assert (row.state, row.version, row.reason) == (rows.PATCHED, "2.5", "")
    assert capfd.readouterr().err == ""


def test_a_newer_version_is_patched_with_a_note(arm: Any, site: Any, capfd: pytest.CaptureFixture[str]) -> None:
    site.install("acme-library", "3.1")
    row = arm(supports=("acme-library>=2,<3",))
    assert answer() == "patched acme_library"
    assert row.state == rows.UNTESTED
    assert row.reason == "acme-library 3.1 is newer than the tested range acme-library>=2,<3"
    assert capfd.readouterr().err.splitlines() == [f"remora: plugin acme is armed all the same: {row.reason}"]


def test_an_older_version_is_refused_with_the_reason_and_what_to_do(
    arm: Any, site: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    site.install("acme-library", "1.9")
    row = arm(supports=("acme-library>=2,<3",))
    assert answer() == "original"
    assert row.state == rows.REFUSED
    assert "acme_patch" not in sys.modules
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 1
    assert "acme-library 1.9 is older than the tested range acme-library>=2,<3" in said[0]
    assert "upgrade it, or disable acme" in said[0]


def test_a_library_without_a_distribution_is_patched_with_a_note(arm: Any) -> None:
    row = arm(supports=("acme-library>=2,<3", "acme-binary>=2"))
    assert answer() == "patched acme_library"
    assert (row.state, row.version) == (rows.UNTESTED, None)
    assert "no installed distribution is called acme-library or acme-binary" in row.reason


def test_any_one_of_several_distributions_will_do(arm: Any, site: Any) -> None:
    site.install("acme-binary", "2.9")
    row = arm(supports=("acme-library>=2,<3", "acme-binary>=2,<3"))
    assert answer() == "patched acme_library"
    assert (row.state, row.version) == (rows.PATCHED, "2.9")


@pytest.mark.parametrize(("installed", "supported"), [("2004d", ">=2000"), ("2.5", "=>2")])
def test_versions_that_cannot_be_compared_are_patched_with_a_note(
    arm: Any, site: Any, installed: str, supported: str
) -> None:
    site.install("acme-library", installed)
    row = arm(supports=(f"acme-library{supported}",))
    assert answer() == "patched acme_library"
    assert row.state == rows.UNTESTED
    assert "cannot be told" in row.reason


@pytest.mark.parametrize(
    ("function", "cause"),
    [
        ("fail", "acme_patch:fail failed at the import of acme_library: AttributeError: library has no attribute"),
        ("fail_worse", "BaseException: worse"),
        ("gone", "AttributeError: module 'acme_patch' has no attribute 'gone'"),
    ],
)
def test_a_plugin_that_fails_is_unpatched_and_told_and_the_program_goes_on(
    arm: Any, patchers: Any, capfd: pytest.CaptureFixture[str], function: str, cause: str
) -> None:
    row = arm(acme_library=function)
    other = arm("other")
    assert answer() == "patched acme_library", "the other plugin of the same module has patched it"
    assert (row.state, other.state) == (rows.FAILED, rows.PATCHED)
    assert patchers.made["acme"][0].undone == 1
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("remora: plugin acme of acme = acme_manifest of acme-otel is taken out: ")
    assert cause in said[0]


@pytest.mark.parametrize("source", ["import not_there", "def broken(:", "raise BaseException"])
def test_a_patch_module_that_does_not_load_costs_its_plugin_only(arm: Any, site: Any, source: str) -> None:
    site.module("acme_patch", source)
    row = arm()
    assert answer() == "original"
    assert row.state == rows.FAILED


def test_a_failed_plugin_patches_nothing_more(arm: Any) -> None:
    row = arm(acme_library="fail", acme_library__more="patch")
    assert (answer(), answer("acme_library.more")) == ("original", "original")
    assert row.state == rows.FAILED


def test_a_later_failure_takes_back_what_was_patched_before(arm: Any) -> None:
    arm(acme_library="patch", acme_library__more="fail")
    assert answer() == "patched acme_library"
    assert answer("acme_library.more") == "original"
    assert answer() == "original"


def test_an_interrupt_reaches_the_program_and_leaves_nothing_half_patched(arm: Any) -> None:
    row = arm(acme_library="interrupt")
    with pytest.raises(KeyboardInterrupt):
        importlib.import_module("acme_library")
    assert row.state == rows.FAILED
    assert answer() == "original"


def test_a_patcher_that_cannot_be_made_or_undone_harms_nobody(site: Any, hooks: Any) -> None:
    site.module("acme_library", LIBRARY)
    site.module("acme_patch", "def patch(library, patcher): raise ValueError")

    class Stuck:
        def undo(self) -> None:
            raise RuntimeError("stuck")

    def factory(row: Row) -> Stuck:
        if row.name == "unmade":
            raise OSError("no engine")
        return Stuck()

    arming = Arming(hooks, Installed(), factory, 3)
    made = []
    for name in ("unmade", "stuck"):
        instrumentation = Instrumentation(name, hooks={"acme_library": "acme_patch:patch"}, convention="c")
        made.append(Row(rows.PLUGIN, name, "test", instrumentation=instrumentation))
        arming.arm(made[-1])
    assert answer() == "original"
    assert [row.state for row in made] == [rows.FAILED, rows.FAILED]


def test_a_plugin_that_keeps_failing_at_run_time_is_unpatched_and_told(
    arm: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    row = arm()
    assert answer() == "patched acme_library"
    for _ in range(3):
        row.faults.fault("_request", ValueError("x"))
    assert answer() == "original"
    assert row.state == rows.QUARANTINED
    assert "3 faults, the last in _request: ValueError" in row.reason
    assert "is taken out: 3 faults" in capfd.readouterr().err
    importlib.reload(sys.modules["acme_library"])
    assert answer() == "original", "it stays out"


def test_a_reloaded_library_and_one_imported_anew_are_patched_again(arm: Any) -> None:
    row = arm()
    assert answer() == "patched acme_library"
    importlib.reload(sys.modules["acme_library"])
    assert answer() == "patched acme_library"
    del sys.modules["acme_library"]
    assert answer() == "patched acme_library"
    assert row.state == rows.PATCHED


def test_a_patch_that_comes_in_while_its_plugin_is_taken_out_does_not_stay(arm: Any, site: Any) -> None:
    """Two threads import two modules of one library; one fails while the other is patching."""
    site.module(
        "acme_patch",
        """
        import threading
        patching, failed = threading.Event(), threading.Event()

        def slow(library, patcher):
            patching.set()
            assert failed.wait(10)
            patcher.replace(library, "answer", lambda: "patched")

        def fail(library, patcher):
            assert patching.wait(10)
            raise ValueError
        """,
    )
    site.module("acme_one", LIBRARY)
    site.module("acme_two", LIBRARY)
    row = arm(acme_one="slow", acme_two="fail")
    thread = threading.Thread(target=answer, args=("acme_one",))
    thread.start()
    assert answer("acme_two") == "original"
    sys.modules["acme_patch"].failed.set()
    thread.join(10)
    assert answer("acme_one") == "original"
    assert row.state == rows.FAILED


def test_a_row_can_be_written_as_json(arm: Any, site: Any) -> None:
    site.install("acme-library", "2.5")
    row = arm(supports=("acme-library>=2,<3",))
    answer()
    row.faults.fault("_request", ValueError("x"))
    shown = json.loads(json.dumps(row.as_dict()))
    assert shown.pop("changed_ns") > 1_600_000_000_000_000_000
    assert shown.pop("last_fault").startswith("_request: ValueError")
    assert shown == {
        "kind": "plugin",
        "name": "acme",
        "state": "patched",
        "reason": "",
        "version": "2.5",
        "supports": ["acme-library>=2,<3"],
        "targets": ["acme_library"],
        "source": "acme = acme_manifest of acme-otel",
        "convention": "http.client",
        "signal": None,
        "imported": True,
        "faults": 1,
    }
