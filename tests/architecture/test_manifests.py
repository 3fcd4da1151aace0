"""Every row of our manifests names something that exists, is tested, and claims versions somebody looked at."""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

import pytest

from support.servers import missing
from support.tree import REPOSITORY
from support.versions import admits_installed, is_bounded

if TYPE_CHECKING:
    from remora.host.manifest import Instrumentation

FAMILIES = sorted(path.parent.name for path in (REPOSITORY / "plugins/remora_plugins").glob("*/manifest.py"))


def _rows(hook: str) -> list[Any]:
    rows = []
    for family in FAMILIES:
        manifest = importlib.import_module(f"remora_plugins.{family}.manifest")
        rows += [pytest.param(family, row, id=f"{family}-{row.name}") for row in getattr(manifest, hook, list)()]
    return rows


INSTRUMENTATIONS = _rows("instrumentations")


def test_every_family_is_an_entry_point_as_a_third_party_s_would_be() -> None:
    declared = (
        (REPOSITORY / "pyproject.toml").read_text().partition("[project.entry-points.remora]")[2].partition("[")[0]
    )
    lines = [line for line in declared.splitlines() if " = " in line]
    assert lines == [f'{family} = "remora_plugins.{family}.manifest"' for family in FAMILIES]


@pytest.mark.parametrize(("family", "row"), INSTRUMENTATIONS)
def test_hooks_name_functions_that_take_the_module_and_a_patcher(family: str, row: Instrumentation) -> None:
    for reference in row.hooks.values():
        module, _, function = reference.partition(":")
        assert module.startswith(f"remora_plugins.{family}.")
        found = getattr(importlib.import_module(module), function)
        inspect.signature(found).bind(object(), object())


@pytest.mark.parametrize(("family", "row"), INSTRUMENTATIONS)
def test_every_patch_module_has_a_test_of_its_name(family: str, row: Instrumentation) -> None:
    for reference in row.hooks.values():
        library = reference.partition(":")[0].rpartition(".")[2]
        test = REPOSITORY / "tests/plugins" / family / f"test_{library}.py"
        assert test.exists(), test


@pytest.mark.parametrize(("family", "row"), INSTRUMENTATIONS)
def test_a_claimed_range_has_both_ends_and_holds_what_is_tested_here(family: str, row: Instrumentation) -> None:
    unbounded = [requirement for requirement in row.supports if not is_bounded(requirement)]
    assert unbounded == []
    installed = [admitted for admitted in map(admits_installed, row.supports) if admitted is not None]
    if row.supports and not installed:
        missing(f"none of {', '.join(row.supports)} is installed here")
    assert all(installed)


def test_producers_name_functions_that_start_without_being_told_anything() -> None:
    for parameter in _rows("producers"):
        module, _, function = parameter.values[1].start.partition(":")
        inspect.signature(getattr(importlib.import_module(module), function)).bind()


def test_two_rows_never_share_a_name() -> None:
    names = [parameter.values[1].name for parameter in INSTRUMENTATIONS]
    assert sorted(names) == sorted(set(names))
