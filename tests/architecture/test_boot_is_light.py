"""What a Python under the launch has loaded before the program's first line: little, and nothing it may want itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.processes import run_python

if TYPE_CHECKING:
    from support.processes import Finished

MOST_MODULES = 120
NOT_BEFORE_THE_PROGRAM_WANTS_THEM = (
    "asyncio",
    "compression.zstd",
    "concurrent.futures",
    "google.protobuf",
    "grpc",
    "http.client",
    "importlib.metadata",
    "json",
    "logging",
    "multiprocessing",
    "opentelemetry",
    "packaging",
    "pluggy",
    "psutil",
    "rich",
    "ssl",
    "subprocess",
    "tempfile",
    "wrapt",
    "zstandard",
)
_LOADED = "import sys; loaded = list(sys.modules); import json; print(json.dumps(loaded))"
_LIBRARIES = "import flask, requests; "


def _loaded(program: str = "", *, launched: bool, **env: str) -> tuple[set[str], Finished]:
    finished = run_python(program + _LOADED, launched=launched, env=env)
    assert finished.exit_code == 0, finished.stderr
    return set(json.loads(finished.stdout)), finished


@pytest.fixture(scope="module")
def added() -> set[str]:
    """Modules that are there because of us: what an editable installation's own finder loads is not."""
    bare, _ = _loaded(launched=False)
    ours, finished = _loaded(launched=True)
    assert finished.stderr == ""
    return ours - bare


def test_remora_is_running_before_the_program_is(added: set[str]) -> None:
    assert {"remora.bootstrap", "remora_launch"} <= added


@pytest.mark.parametrize("module", NOT_BEFORE_THE_PROGRAM_WANTS_THEM)
def test_a_boot_does_not_load(module: str, added: set[str]) -> None:
    assert {name for name in added if name == module or name.startswith(f"{module}.")} == set()


def test_a_boot_loads_manifests_and_no_patch_module(added: set[str]) -> None:
    plugins = {name for name in added if name.startswith("remora_plugins.") and name.count(".") > 1}
    assert plugins, "no manifest was loaded"
    assert {name for name in plugins if not name.endswith(".manifest")} == set()


def test_a_boot_adds_few_modules(added: set[str]) -> None:
    assert len(added) <= MOST_MODULES, sorted(added)


def test_two_libraries_and_what_instruments_them_add_few_modules() -> None:
    pytest.importorskip("flask")
    bare, _ = _loaded(_LIBRARIES, launched=False)
    ours, finished = _loaded(_LIBRARIES, launched=True)
    assert finished.stderr == ""
    assert "remora_plugins.http.flask" in ours
    assert len(ours - bare) <= MOST_MODULES, sorted(ours - bare)


@pytest.mark.parametrize("switch", [{"REMORA_ENABLED": "false"}, {"OTEL_SDK_DISABLED": "true"}])
def test_switched_off_nothing_of_ours_is_loaded(switch: dict[str, str]) -> None:
    bare, _ = _loaded(launched=False)
    ours, finished = _loaded(launched=True, **switch)
    assert {name for name in ours - bare if name.startswith("remora")} == set()
    assert finished.stderr == ""


def test_a_program_that_wants_a_library_gets_its_patch_module_then() -> None:
    finished = run_python("import sys, sqlite3; print('remora_plugins.database.sqlite3' in sys.modules)")
    assert finished.stdout == "True\n", finished.stderr
