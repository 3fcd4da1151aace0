"""Attribute keys and metric names are spelled once, in the conventions, as the registry spells them."""

from __future__ import annotations

import ast
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support.tree import REPOSITORY, python_sources

REGISTRY = REPOSITORY.parent / "shared" / "data" / "semconv-registry-1.44.0.json"
# The hall lies below the conventions and describes the process itself: its names have a file of their own.
SPELLED_IN = (REPOSITORY / "core/remora/conventions", REPOSITORY / "core/remora/telemetry/names.py")
# What the API and SDK specifications have every SDK write, and the conventions do not list (any more).
SPECIFIED_ELSEWHERE = {"exception.escaped", "otel.metric.overflow"}
# Enumerations of the conventions are open: a system they do not list goes by the name that its makers would have.
OWN_VALUES = {"gcp.bigquery"}
_KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


class Registry:
    """The resolved registry by what our texts may be: names, and values that look like names."""

    def __init__(self, rows: dict[str, Any]) -> None:
        self.attributes: dict[str, Any] = rows["attributes"]
        self.names = {name for kind in ("attributes", "metrics", "events") for name in rows[kind] if "." in name}
        self.deprecated = {
            name for kind in ("attributes", "metrics") for name, row in rows[kind].items() if row.get("deprecated")
        } - SPECIFIED_ELSEWHERE
        self.namespaces = {name.partition(".")[0] for name in self.names}
        values = {str(member["value"]) for row in self.attributes.values() for member in row.get("members", ())}
        prefixes = {name.rpartition(".")[0] for name in self.attributes}  # http.request.header and the header's name
        conventions = set(rows["spans"])  # they go by such names themselves: http.client
        self.known = self.names | values | prefixes | conventions | SPECIFIED_ELSEWHERE | OWN_VALUES


@pytest.fixture(scope="module")
def registry() -> Registry:
    path = Path(os.environ.get("SEMCONV_REGISTRY", REGISTRY))
    if not path.exists():
        pytest.skip(f"the convention registry is not at {path} (SEMCONV_REGISTRY names another place)")
    return Registry(json.loads(path.read_text()))


class Spelled(NamedTuple):
    """A text in our sources that looks like an attribute's key."""

    text: str
    path: Path
    line: int

    def __str__(self) -> str:
        return f"{self.path.relative_to(REPOSITORY)}:{self.line} {self.text}"

    @property
    def among_names(self) -> bool:
        """Whether a name belongs here."""
        return any(place == self.path or place in self.path.parents for place in SPELLED_IN)

    @property
    def means_a_name(self) -> bool:
        """Whether it stands where only names stand: there a wrong namespace is a mistake, not another kind of text."""
        return self.path.name in ("keys.py", "names.py")


@pytest.fixture(scope="module")
def spelled() -> list[Spelled]:
    return [
        Spelled(node.value, path, node.lineno)
        for path in python_sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _KEY.fullmatch(node.value)
    ]


def test_no_name_is_spelled_outside_the_conventions(registry: Registry, spelled: list[Spelled]) -> None:
    assert [str(found) for found in spelled if found.text in registry.names and not found.among_names] == []


# Of the messages of ASGI, which look like names of the registry.
ASGI_MESSAGES = "http.response."


def test_every_name_in_the_conventions_is_in_the_registry(registry: Registry, spelled: list[Spelled]) -> None:
    unknown = [
        str(found)
        for found in spelled
        if found.among_names
        and found.text not in registry.known
        and not (found.text.startswith(ASGI_MESSAGES) and "scope_cy" in str(found))
        and (found.means_a_name or found.text.partition(".")[0] in registry.namespaces)
    ]
    assert unknown == []


def test_no_deprecated_name_is_used(registry: Registry, spelled: list[Spelled]) -> None:
    assert [str(found) for found in spelled if found.among_names and found.text in registry.deprecated] == []


def test_each_key_is_spelled_once_so_that_a_rename_is_one_line(registry: Registry, spelled: list[Spelled]) -> None:
    keys = [found for found in spelled if found.among_names and found.text in registry.attributes]
    times = Counter(found.text for found in keys)
    assert [str(found) for found in keys if times[found.text] > 1] == []
    assert keys, "the conventions spell no attribute at all"
