"""The table of libraries and rules tells what a run of the contracts came to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from support.processes import Finished, run
from support.tree import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

FAMILY = """
import pytest

class SinkContract:
    def test_water_comes(self):
        assert self.water

    @pytest.mark.parametrize("degrees", [10, 80])
    def test_it_is_warm(self, degrees):
        assert degrees > 50 or self.mixes

class TestKitchen(SinkContract):
    water = mixes = True

    def test_that_is_no_rule(self):
        raise AssertionError

class TestGarden(SinkContract):
    water, mixes = True, False

class TestDesert(SinkContract):
    mixes = True

    def test_water_comes(self):
        pass
"""


def table(folder: Path) -> Finished:
    return run([sys.executable, "-m", "tests.plugins", str(folder)], cwd=REPOSITORY, launched=False)


def test_each_rule_of_a_contract_is_a_column_and_each_library_a_row(tmp_path: Path) -> None:
    (tmp_path / "test_sinks.py").write_text(FAMILY)
    (tmp_path / "test_absent.py").write_text("import pytest\npytest.skip('no water', allow_module_level=True)\n")
    done = table(tmp_path)
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["1", "water", "comes"] in rows
    assert ["Kitchen", "yes", "yes"] in rows
    assert ["Garden", "yes", "NO"] in rows
    assert ["Desert", "own", "yes"] in rows
    assert "no rule" not in done.stdout
    assert "not here: " in done.stdout
    assert "no water" in done.stdout
    assert done.exit_code == 1


def test_without_a_broken_rule_all_is_well(tmp_path: Path) -> None:
    (tmp_path / "test_sinks.py").write_text(FAMILY.replace("True, False", "True, True"))
    assert table(tmp_path).exit_code == 0


def test_a_test_module_that_breaks_is_no_library_that_passes(tmp_path: Path) -> None:
    (tmp_path / "test_sinks.py").write_text(FAMILY.replace("True, False", "True, True"))
    (tmp_path / "test_broken.py").write_text("import no_such_library\n")
    assert table(tmp_path).exit_code == 1


def test_a_family_that_does_not_exist_is_told() -> None:
    done = run([sys.executable, "-m", "tests.plugins", "plumbing"], cwd=REPOSITORY, launched=False)
    assert (done.exit_code, "no family 'plumbing'" in done.stdout) == (2, True)
