"""Distributions made on disk, and a host that has met nothing yet."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from remora import diagnostics
from remora.host.importhooks import ImportHooks


class Site:
    """A folder of sys.path into which distributions are installed as pip leaves them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def module(self, name: str, source: str = "") -> Path:
        """A module, or a package if the name ends in ``.__init__``."""
        path = self.folder.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
        return path

    def install(
        self,
        name: str,
        version: str = "1.0",
        *,
        entry_points: Mapping[str, Mapping[str, str]] | None = None,
        requires: Sequence[str] = (),
        top_level: Sequence[str] | None = None,
        record: Sequence[str] | None = None,
        kind: str = "dist-info",
    ) -> Path:
        info = self.folder / f"{name.replace('-', '_')}-{version}.{kind}"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {requirement}" for requirement in requires]
        metadata = "METADATA" if kind == "dist-info" else "PKG-INFO"
        (info / metadata).write_text("\n".join([*lines, "", "Version: 99 is what the description says", ""]))
        if entry_points is not None:
            (info / "entry_points.txt").write_text(
                "\n".join(
                    f"[{group}]\n" + "\n".join(f"{key} = {value}" for key, value in points.items())
                    for group, points in entry_points.items()
                )
            )
        if top_level is not None:
            (info / "top_level.txt").write_text("\n".join(top_level) + "\n")
        if record is not None:
            (info / "RECORD").write_text("".join(f"{path},sha256=x,1\n" for path in record))
        return info


class RecordingPatcher:
    """A patcher that sets attributes and puts them back."""

    def __init__(self, row: Any) -> None:
        self.row = row
        self.undone = 0
        self._replaced: list[tuple[Any, str, Any]] = []

    def replace(self, owner: Any, attribute: str, value: Any) -> None:
        self._replaced.append((owner, attribute, getattr(owner, attribute)))
        setattr(owner, attribute, value)

    def undo(self) -> None:
        self.undone += 1
        while self._replaced:
            owner, attribute, value = self._replaced.pop()
            setattr(owner, attribute, value)


class Patchers:
    """A patcher factory that remembers what it made, by name of row."""

    def __init__(self) -> None:
        self.made: dict[str, list[RecordingPatcher]] = {}

    def __call__(self, row: Any) -> RecordingPatcher:
        patcher = RecordingPatcher(row)
        self.made.setdefault(row.name, []).append(patcher)
        return patcher


def _settings(
    instrumentations: Sequence[str] = ("*",), disabled: Sequence[str] = (), quarantine_after: int = 3
) -> SimpleNamespace:
    return SimpleNamespace(
        instrumentations=tuple(instrumentations),
        disabled_instrumentations=tuple(disabled),
        quarantine_after=quarantine_after,
    )


@pytest.fixture
def settings() -> Callable[..., SimpleNamespace]:
    """Makes what the host reads of the settings."""
    return _settings


@pytest.fixture
def patchers() -> Patchers:
    return Patchers()


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The import system and what was said once are as before, whatever a test imports."""
    monkeypatch.setattr(diagnostics, "spoken", {})
    monkeypatch.setattr(diagnostics, "journal", [])
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = dict(sys.modules)
    yield
    made = {path.name.partition(".")[0] for place in tmp_path.iterdir() if place.is_dir() for path in place.iterdir()}
    for name in list(sys.modules):
        if name.partition(".")[0] in made - {"remora_plugins"} and before.get(name) is not sys.modules[name]:
            del sys.modules[name]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A folder on sys.path."""
    made = Site(tmp_path / "site")
    sys.path.insert(0, str(made.folder))
    return made


@pytest.fixture
def other_site(tmp_path: Path) -> Site:
    """A folder that is not on sys.path."""
    return Site(tmp_path / "other")


@pytest.fixture
def hooks() -> Iterator[ImportHooks]:
    made = ImportHooks()
    made.install()
    yield made
    made.remove()


@pytest.fixture
def manifest(site: Site) -> Callable[..., None]:
    """Installs a distribution whose manifest is the given source."""

    def install(source: str, *, name: str = "acme", distribution: str | None = None) -> None:
        site.module(f"{name}_manifest", source)
        site.install(distribution or f"{name}-otel", entry_points={"remora": {name: f"{name}_manifest"}})

    return install
