"""The record of a library that is neither HTTP nor SQL works as README.md shows it, word for word."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from core.cli.distributions import SitePackages
from remora.patching.patcher import Patcher
from support.processes import run_python
from support.tree import REPOSITORY

LIBRARY = """
class Renderer:
    def render(self, template, **values):
        if template == "missing":
            raise LookupError("no template with password=hunter2")
        return template.format(**values)
"""
MANIFEST = """
from remora.api import Instrumentation, hookimpl

@hookimpl
def instrumentations():
    row = Instrumentation("stencil", {hooks}, {convention})
    return [row]
"""
PROGRAM = """
import json
import stencil
from remora.testing import collect

with collect() as spans:
    stencil.Renderer().render("Dear {name}", name="Ann")
    try:
        stencil.Renderer().render("missing")
    except LookupError:
        pass
print(json.dumps([[s.name, s.kind, s.status, s.status_description, s.attributes] for s in spans]))
"""


def _readme() -> str:
    return Path(REPOSITORY, "README.md").read_text()


@pytest.fixture
def site(tmp_path: Path) -> SitePackages:
    text = _readme()
    (patch,) = re.findall(r"```python\n(# stencil_otel/stencil\.py\n.*?)```", text, re.DOTALL)
    hooks, convention = re.search(r'with `(hooks=\{"stencil.*?\})` and `(convention=".*?")`', text).groups()  # type: ignore[union-attr]
    made = SitePackages(tmp_path / "site")
    made.install_remora()
    made.install("stencil-otel", "1.0", {"stencil": "stencil_otel.manifest"})
    (made.folder / "stencil.py").write_text(LIBRARY)
    package = made.folder / "stencil_otel"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "stencil.py").write_text(patch)
    (package / "manifest.py").write_text(MANIFEST.format(hooks=hooks, convention=convention))
    return made


@pytest.mark.parametrize("plain", ["", "1"])
def test_the_call_in_the_readme_is_a_span_with_its_attributes_and_its_failure(plain: str, site: SitePackages) -> None:
    done = run_python(PROGRAM, env={"PYTHONPATH": str(site.folder), "REMORA_PURE_PYTHON": plain}, launched=False)
    assert (done.exit_code, done.stderr) == (0, "")
    rendered, failed = json.loads(done.stdout)
    assert rendered == [
        "render Dear {name}",
        "INTERNAL",
        "UNSET",
        None,
        {"stencil.template": "Dear {name}", "stencil.characters": 8},
    ]
    assert failed[:4] == ["render missing", "INTERNAL", "ERROR", "no template with password=REDACTED"]
    assert failed[4]["error.type"] == "LookupError"


def test_the_table_of_what_a_patcher_can_do_names_its_methods_and_their_arguments() -> None:
    rows = re.findall(r"^\| `(\w+)\((owner, name.*?)\)` \|", _readme(), re.MULTILINE)
    assert len(rows) >= 9
    for method, arguments in rows:
        code = getattr(Patcher, method).__code__
        taken = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
        assert len(arguments.split(",")) == len(taken), method
        for argument in re.findall(r"(\w+)=", arguments):
            assert argument in taken, method
