"""Who may know whom: the contracts in pyproject.toml hold, and would notice if they did not."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from support.processes import run
from support.tree import REPOSITORY, ROOTS

if TYPE_CHECKING:
    from pathlib import Path

    from support.processes import Finished

_LINT = (
    "import sys, importlinter.cli as cli; sys.exit(cli.lint_imports(config_filename='pyproject.toml', no_cache=True))"
)

# What must not be written, where, and the contract that has to notice.
VIOLATIONS = [
    ("core/remora/settings/readers.py", "import remora.diagnostics", "rooms"),
    ("core/remora/telemetry/limits.py", "import remora.otlp", "rooms"),
    ("core/remora/surprise.py", "", "rooms"),
    ("core/remora/diagnostics.py", "import remora_plugins", "roots"),
    ("core/remora/conventions/keys.py", "import remora.export.sender", "catching"),
    ("core/remora/otlp/batch.py", "import remora.conventions.keys", "shipping"),
    ("core/remora/export/sender.py", "import remora.telemetry.scope", "bytes"),
    ("plugins/remora_plugins/http/flask.py", "import remora_plugins.database", "families"),
    ("plugins/remora_plugins/http/manifest.py", "import remora.patching.patcher", "manifests"),
    ("plugins/remora_plugins/http/requests.py", "import remora.settings", "plugins"),
    ("core/remora/host/quarantine.py", "import wrapt", "wrapt"),
    ("core/remora/pipeline/books.py", "import opentelemetry.trace", "opentelemetry"),
    ("core/remora/patching/undo.py", "import pluggy", "pluggy"),
    ("core/remora/settings/shape.py", "import remora.settings.loading", "cycles"),
]


def _lint(tree: Path) -> Finished:
    path = ":".join(str(tree / root) for root in ROOTS.values())
    return run([sys.executable, "-c", _LINT], cwd=tree, env={"PYTHONPATH": path, "COLUMNS": "300"}, launched=False)


def _contracts(tree: Path) -> dict[str, str]:
    """Contract id -> the name it is reported by."""
    found: dict[str, str] = {}
    identity = ""
    for line in (tree / "pyproject.toml").read_text().splitlines():
        key, _, value = line.partition(" = ")
        if key == "id":
            identity = value.strip('"')
        elif key == "name" and identity:
            found[identity], identity = value.strip('"'), ""
    return found


def test_everyone_knows_only_whom_they_may_know() -> None:
    finished = _lint(REPOSITORY)
    assert finished.exit_code == 0, finished.stdout


def test_every_contract_notices_what_it_forbids(tmp_path: Path) -> None:
    for root in ROOTS.values():
        shutil.copytree(REPOSITORY / root, tmp_path / root, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    contracts = _contracts(tmp_path)
    for file, statement, _ in VIOLATIONS:
        with (tmp_path / file).open("a") as source:
            source.write(f"\n{statement}\n")
    finished = _lint(tmp_path)
    report = " ".join(finished.stdout.split())
    unnoticed = {identity for _, _, identity in VIOLATIONS if f"{contracts[identity]} BROKEN" not in report}
    assert unnoticed == set(), finished.stdout + finished.stderr
    assert {identity for _, _, identity in VIOLATIONS} == contracts.keys()
