"""`remora plugins`: what can be instrumented, in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from remora.cli.main import main
from support.processes import run_python

if TYPE_CHECKING:
    from core.cli.distributions import SitePackages

Capture = pytest.CaptureFixture[str]


def _printed(capsys: Capture, *options: str) -> str:
    assert main(["plugins", *options]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def _line(printed: str, name: str) -> str:
    (line,) = [line for line in printed.splitlines() if line.split()[:1] == [name]]
    return line


def _document(capsys: Capture) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(_printed(capsys, "--json"))
    return document


def _item(capsys: Capture, name: str) -> dict[str, Any]:
    (item,) = [item for item in _document(capsys)["plugins"] if (item["kind"], item["name"]) == ("plugin", name)]
    return dict(item)


def test_a_library_that_is_installed_in_a_tested_version_is_on(site_packages: SitePackages, capsys: Capture) -> None:
    site_packages.install("fakelib", "1.4")
    site_packages.install_plugin("fakelib>=1,<2")
    assert _line(_printed(capsys), "fakelib").split()[:3] == ["fakelib", "1.4", "on"]
    assert _item(capsys, "fakelib") == {
        "kind": "plugin",
        "name": "fakelib",
        "convention": "http.client",
        "signal": None,
        "version": "1.4",
        "supports": ["fakelib>=1,<2"],
        "state": "on",
        "reason": None,
        "distribution": "acme-plugins",
        "source": "acme = acme_manifest of acme-plugins",
    }


def test_a_plugin_of_somebody_else_names_its_distribution(site_packages: SitePackages, capsys: Capture) -> None:
    site_packages.install("fakelib", "1.4")
    site_packages.install_plugin("fakelib>=1,<2")
    assert "(from acme-plugins)" in _line(_printed(capsys), "fakelib")
    assert "(from" not in _line(_printed(capsys), "sqlite3")


@pytest.mark.usefixtures("site_packages")
def test_a_library_of_the_interpreter_has_no_version(capsys: Capture) -> None:
    assert _line(_printed(capsys), "sqlite3").split()[1:3] == ["stdlib", "on"]


def test_a_library_that_is_not_installed_says_so_and_what_would_do(
    site_packages: SitePackages, capsys: Capture
) -> None:
    site_packages.install_plugin("fakelib>=1,<2")
    line = _line(_printed(capsys), "fakelib")
    assert "not installed" in line
    assert "fakelib>=1,<2" in line


def test_a_newer_library_is_on_and_untested(site_packages: SitePackages, capsys: Capture) -> None:
    site_packages.install("fakelib", "2.1")
    site_packages.install_plugin("fakelib>=1,<2")
    assert "on, untested: fakelib 2.1 is newer than the tested range" in _line(_printed(capsys), "fakelib")


def test_an_older_library_is_refused_with_the_reason(site_packages: SitePackages, capsys: Capture) -> None:
    site_packages.install("fakelib", "0.9")
    site_packages.install_plugin("fakelib>=1,<2")
    assert "refused: fakelib 0.9 is older than the tested range" in _line(_printed(capsys), "fakelib")


@pytest.mark.usefixtures("site_packages")
def test_what_is_off_names_the_variable_that_turned_it_off(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "sqlite3")
    assert "off: disabled by OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=sqlite3" in _line(_printed(capsys), "sqlite3")


def test_a_plugin_that_does_not_load_is_told_with_its_cause(site_packages: SitePackages, capsys: Capture) -> None:
    site_packages.install("broken-plugins", "1.0", {"broken": "no_such_manifest"})
    printed = _printed(capsys)
    (line,) = [line for line in printed.splitlines() if line.startswith("✗")]
    assert "broken-plugins" in line
    assert "No module named 'no_such_manifest'" in line
    assert len(_document(capsys)["problems"]) == 1
    assert _line(printed, "sqlite3")


def _problem(capsys: Capture) -> str:
    (problem,) = _document(capsys)["problems"]
    return str(problem)


@pytest.mark.parametrize(
    ("patches", "reference", "told"),
    [
        ("def patch(library, patcher): ...", "acme_patchez:patch", "but there is no module acme_patchez"),
        ("def patch(library, patcher): ...", "acme_patches.deep:patch", "but there is no module acme_patches.deep"),
        ("def patch(library, patcher): ...", "acme_patches:pach", "acme_patches.py has no pach; did you mean patch?"),
        ("def patch(:", "acme_patches:patch", "acme_patches.py cannot be read: SyntaxError"),
    ],
)
def test_a_reference_that_leads_nowhere_is_told_in_one_line(
    patches: str, reference: str, told: str, site_packages: SitePackages, capsys: Capture
) -> None:
    site_packages.install("fakelib", "1.4")
    site_packages.install_plugin("fakelib>=1,<2", reference=reference)
    (site_packages.folder / "acme_patches.py").write_text(patches)
    problem = _problem(capsys)
    assert problem.startswith(
        f"plugin acme = acme_manifest of acme-plugins: fakelib: hooks['fakelib'] is {reference!r}"
    )
    assert told in problem
    (line,) = [line for line in _printed(capsys).splitlines() if line.startswith("✗")]
    assert told in line


@pytest.mark.parametrize(
    "patches",
    [
        "from acme_others import *",
        "if True:\n    from acme_others import patch",
        "try:\n    patch = 1\nfinally:\n    pass",
    ],
)
def test_a_function_that_comes_from_elsewhere_is_believed(
    patches: str, site_packages: SitePackages, capsys: Capture
) -> None:
    site_packages.install("fakelib", "1.4")
    site_packages.install_plugin("fakelib>=1,<2")
    (site_packages.folder / "acme_patches.py").write_text(patches)
    assert _document(capsys)["problems"] == []


def test_a_module_to_wait_for_that_the_library_does_not_have_is_told(
    site_packages: SitePackages, capsys: Capture
) -> None:
    site_packages.install("fakelib", "1.4")
    site_packages.install_plugin("fakelib>=1,<2", target="fakelib.connections")
    assert "its hooks wait for fakelib.connections, and fakelib 1.4 has no such module" in _problem(capsys)


def test_a_forgotten_mark_above_the_hook_is_told(site_packages: SitePackages, capsys: Capture) -> None:
    (site_packages.folder / "bare_manifest.py").write_text("def instrumentations():\n    return []\n")
    site_packages.install("bare-plugins", "1.0", {"bare": "bare_manifest"})
    assert "implements no hook: write @hookimpl (from remora.api) above instrumentations()" in _problem(capsys)


def test_a_distribution_that_is_nowhere_is_told_from_one_that_is_called_otherwise(
    site_packages: SitePackages, capsys: Capture
) -> None:
    site_packages.install_plugin("fakelib-client>=1,<2")
    assert "no distribution is called fakelib-client" in _line(_printed(capsys), "fakelib")
    assert "though module" not in _item(capsys, "fakelib")["reason"]
    site_packages.install("fakelib", "1.4")
    assert "no distribution is called fakelib-client, though module fakelib is here" in _line(
        _printed(capsys), "fakelib"
    )


def test_remora_s_own_plugins_all_lead_somewhere(capsys: Capture) -> None:
    assert _document(capsys)["problems"] == []


def test_nothing_is_armed_and_no_library_is_imported(site_packages: SitePackages) -> None:
    done = run_python(
        """
        import sys, threading, sqlite3
        before = sqlite3.connect, threading.Thread.start, tuple(sys.meta_path)
        from remora.cli.main import main
        main(["plugins"])
        assert (sqlite3.connect, threading.Thread.start, tuple(sys.meta_path)) == before
        print([name for name in ("flask", "requests", "wrapt", "remora.patching") if name in sys.modules])
        """,
        launched=False,
        env={"PYTHONPATH": str(site_packages.folder)},
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
