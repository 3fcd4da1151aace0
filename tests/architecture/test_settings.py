"""A setting nobody can read about, or nobody tried, does not exist."""

from __future__ import annotations

import re

import pytest

from remora.settings import VARIABLES
from remora.settings.variables import NOT_SETTINGS
from support.tree import REPOSITORY, python_sources, sources_of_tests

NAMES = sorted(variable.name for variable in VARIABLES)
# The variables of one signal are documented together, as OTEL_EXPORTER_OTLP_{TRACES,METRICS,LOGS}_ENDPOINT.
_FOLDED = re.compile(r"\{([A-Z0-9_,]+)\}")


def _unfolded(text: str) -> str:
    """The text with every NAME_{A,B}_REST written out."""
    written_out = []
    for word in re.findall(r"[A-Z_]+(?:\{[A-Z0-9_,]+\}[A-Z_]*)+", text):
        variants = [word]
        while any("{" in variant for variant in variants):
            variants = [
                _FOLDED.sub(choice, variant, count=1)
                for variant in variants
                for choice in _FOLDED.search(variant)[1].split(",")  # type: ignore[index]
            ]
        written_out += variants
    return " ".join([text, *written_out])


@pytest.fixture(scope="module")
def readme() -> set[str]:
    return set(re.findall(r"\b(?:OTEL|REMORA)_[A-Z0-9_]+\b", _unfolded((REPOSITORY / "README.md").read_text())))


def test_every_variable_is_in_the_readme(readme: set[str]) -> None:
    assert [name for name in NAMES if name not in readme] == []


def test_the_readme_promises_no_variable_of_ours_that_is_none(readme: set[str]) -> None:
    assert {name for name in readme if name.startswith("REMORA_")} - {*NAMES, *NOT_SETTINGS} == set()


def test_every_variable_is_named_in_some_test() -> None:
    named = " ".join(path.read_text() for path in sources_of_tests())
    parts = {"", "TRACES_", "METRICS_", "LOGS_"}
    suffixes = set(re.findall(r'\("([A-Z_]+)", ".*", .*\),', (REPOSITORY / "tests/core/test_settings.py").read_text()))
    together = {f"OTEL_EXPORTER_OTLP_{part}{suffix}" for part in parts for suffix in {*suffixes, "INSECURE"}}
    untested = [name for name in NAMES if name not in together and not re.search(rf"\b{name}\b", named)]
    assert untested == []


def test_settings_are_read_in_one_room_and_nowhere_else() -> None:
    strays = [
        f"{path.relative_to(REPOSITORY)}: {name}"
        for path in python_sources()
        if path.is_relative_to(REPOSITORY / "core") and "settings" not in path.parts
        for name in re.findall(r"environ(?:\.get\(|\[)\s*[\"']((?:OTEL|REMORA)_[A-Z_]+)", path.read_text())
        if name not in NOT_SETTINGS
    ]
    assert strays == []
