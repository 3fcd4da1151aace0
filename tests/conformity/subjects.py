"""The libraries to count: each class under tests/plugins/http that passes a contract says how to serve or to send."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from plugins.http.client_contract import HttpClientContract
from plugins.http.server_contract import HttpServerContract
from remora_plugins.database import manifest as database_manifest
from remora_plugins.http.manifest import instrumentations
from support.tree import REPOSITORY

if TYPE_CHECKING:
    from remora.host.manifest import Instrumentation

_CONTRACTS = {"server": HttpServerContract, "client": HttpClientContract}


@dataclass(frozen=True)
class Subject:
    """``module`` is the test's, ``way`` the contract class that serves or sends; ``side`` is server or client."""

    module: str
    side: str
    way: type[Any]

    @property
    def library(self) -> str:
        return self.way.__name__.removeprefix("Test")


@dataclass(frozen=True)
class Found:
    """``absent`` are test modules whose library is not installed here, with what they say about it."""

    subjects: tuple[Subject, ...]
    absent: dict[str, str]


@cache
def found() -> Found:
    """Imports every test module of the family: Remora should run by then, or patch afterwards."""
    subjects, absent = [], {}
    # Module skips of our own count here as in pytest; the websockets are counted by classes of the conformity's own.
    names = [f"plugins.http.{path.stem}" for path in sorted((REPOSITORY / "tests/plugins/http").glob("test_*.py"))]
    for name in [*names, "conformity.websocket_ways"]:
        try:
            module = importlib.import_module(name)
        except pytest.skip.Exception as skipped:
            absent[name.rpartition(".")[2]] = str(skipped)
            continue
        for way in vars(module).values():
            if inspect.isclass(way) and way.__module__ == name and way.__name__.startswith("Test"):
                subjects += [Subject(name, side, way) for side, of in _CONTRACTS.items() if issubclass(way, of)]
    return Found(tuple(subjects), absent)


def modules_of(row: Instrumentation) -> set[str]:
    """The names of the test modules of a row's patch modules."""
    return {f"test_{reference.partition(':')[0].rpartition('.')[2]}" for reference in row.hooks.values()}


def http_rows() -> list[Instrumentation]:
    return [row for row in instrumentations() if row.convention in ("http.server", "http.client")]


def database_rows() -> list[Instrumentation]:
    return [row for row in database_manifest.instrumentations() if row.convention == "database"]
