"""The compiled core is what is on disk: all of it or none, never stale, and each part with a plain twin."""

from __future__ import annotations

import importlib.util
import os
from importlib.machinery import EXTENSION_SUFFIXES, SourceFileLoader
from pathlib import Path

import pytest

from remora._build import compiled_modules
from support.tree import REPOSITORY, sources_of_tests

MODULES = compiled_modules(REPOSITORY / "core")
IN_PLACE = {
    name: [source.with_name(source.stem + suffix) for suffix in EXTENSION_SUFFIXES] for name, source in MODULES.items()
}


def _compiled(name: str) -> Path | None:
    """Where the interpreter would load the compiled module from, if it would."""
    spec = importlib.util.find_spec(name)
    origin = spec.origin if spec else None
    return Path(origin) if origin and origin.endswith(tuple(EXTENSION_SUFFIXES)) else None


def test_the_hot_core_is_compiled_altogether_or_not_at_all() -> None:
    states = {name: _compiled(name) is not None for name in MODULES}
    assert MODULES
    assert len(set(states.values())) == 1, states
    if os.environ.get("REMORA_REQUIRE_EXT"):
        assert all(states.values()), states


def test_nothing_lies_about_whose_source_is_gone_and_no_generated_c() -> None:
    expected = {path for paths in IN_PLACE.values() for path in paths}
    here = tuple(EXTENSION_SUFFIXES)
    compiled = {path for path in (REPOSITORY / "core").rglob("*.so") if path.name.endswith(here)}
    assert compiled - expected == set()
    assert list((REPOSITORY / "core").rglob("*.c")) == []


@pytest.mark.parametrize("name", MODULES)
def test_a_compiled_module_is_newer_than_its_source(name: str) -> None:
    compiled = _compiled(name)
    if compiled is None:
        pytest.skip("not compiled here: the plain twin runs")
    sources = [MODULES[name], *MODULES[name].parent.glob("*.pxd")]
    newest = max(sources, key=lambda path: path.stat().st_mtime)
    assert compiled.stat().st_mtime >= newest.stat().st_mtime, f"{newest.name} changed: pip install -e . compiles again"


@pytest.mark.parametrize("name", [name for name, source in MODULES.items() if source.suffix == ".py"])
def test_one_source_runs_compiled_and_plain(name: str) -> None:
    loader = SourceFileLoader(f"plain_{name.rpartition('.')[2]}", str(MODULES[name]))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    plain = importlib.util.module_from_spec(spec)
    loader.exec_module(plain)
    assert plain.COMPILED is False


@pytest.mark.parametrize("name", [name for name, source in MODULES.items() if source.suffix == ".pyx"])
def test_what_only_c_can_do_has_a_plain_twin_beside_it(name: str) -> None:
    source = MODULES[name]
    assert source.stem.endswith("_c"), "named *_c.pyx, so that its twin can be told: *_plain.py"
    assert source.with_name(f"{source.stem.removesuffix('_c')}_plain.py").exists()


@pytest.mark.parametrize("name", MODULES)
def test_a_twin_is_named_in_a_test(name: str) -> None:
    module = name.rpartition(".")[2]
    usual = f"from {name.removesuffix('_cy')} import"  # a record's own module only passes the compiled one on
    texts = [path.read_text() for path in sources_of_tests()]
    assert any(module in text or usual in text for text in texts)
