"""What is installed, read from the names of dist-info folders: 40 distributions take 1 ms, importlib.metadata 25."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

PLUGINS = "remora"
INSTRUMENTORS = "opentelemetry_instrumentor"

_READ_SIZE_BYTES = 1 << 16


def normalized(name: str) -> str:
    """The name as PEP 503 compares it: ``Foo._Bar`` is ``foo-bar``."""
    name = name.strip().lower().replace("_", "-").replace(".", "-")
    while "--" in name:
        name = name.replace("--", "-")
    return name


class Distribution:
    """One installed distribution: ``folder`` is its dist-info or egg-info."""

    __slots__ = ("_version", "folder", "name")

    def __init__(self, name: str, folder: str, version: str | None) -> None:
        self.name = normalized(name)
        self.folder = folder
        self._version = version

    def text(self, file_name: str) -> str | None:
        """A file of the metadata; None where there is none. ``METADATA`` is ``PKG-INFO`` in an egg."""
        data = _read(f"{self.folder}/{file_name}")
        if data is None and file_name == "METADATA":
            data = _read(f"{self.folder}/PKG-INFO") or _read(self.folder)  # old distutils: one file
        return None if data is None else data.decode("utf-8", "replace")

    @property
    def version(self) -> str | None:
        """As METADATA says, else as the folder's name says."""
        for line in headers(self.text("METADATA")):
            if line[:8].lower() == "version:":
                return line[8:].strip()
        return self._version

    def entry_points(self, groups: Sequence[str]) -> Iterator[EntryPoint]:
        data = _read(f"{self.folder}/entry_points.txt")
        if data is not None and any(group.encode() in data for group in groups):
            yield from _listed(data.decode("utf-8", "replace"), groups, self)


class _Delegated(Distribution):
    """A distribution that only importlib.metadata can read: in a zip archive, or known to a finder of its own."""

    __slots__ = ("_delegate",)

    def __init__(self, delegate: Any) -> None:
        super().__init__(delegate.metadata["Name"], "", delegate.version)
        self._delegate = delegate

    def text(self, file_name: str) -> str | None:
        found: str | None = self._delegate.read_text(file_name)
        return found

    def entry_points(self, groups: Sequence[str]) -> Iterator[EntryPoint]:
        return _listed(self.text("entry_points.txt") or "", groups, self)


class EntryPoint:
    """One line of an entry_points.txt."""

    __slots__ = ("distribution", "group", "name", "value")

    def __init__(self, name: str, value: str, group: str, distribution: Distribution) -> None:
        self.name = name
        self.value = value
        self.group = group
        self.distribution = distribution

    def __str__(self) -> str:
        return f"{self.name} = {self.value} of {self.distribution.name}"


class Installed:
    """The distributions on ``path``, or on sys.path as it is when asked; of two with one name the first counts.

    A folder is read again only when it was changed.
    """

    def __init__(self, path: Sequence[str] | None = None) -> None:
        self._path = path
        self._folders: dict[str, tuple[int, list[Distribution]]] = {}
        self._known: tuple[list[list[Distribution]], dict[str, Distribution]] = ([], {})

    def distributions(self) -> dict[str, Distribution]:
        entries: Iterable[object] = sys.path if self._path is None else self._path
        places = [self._place(entry) for entry in entries]
        if self._path is None:
            places += _unusual_finders()
        seen, by_name = self._known
        if len(seen) != len(places) or any(old is not new for old, new in zip(seen, places, strict=True)):
            by_name = {}
            for place in places:
                for distribution in place:
                    by_name.setdefault(distribution.name, distribution)
            self._known = (places, by_name)
        return by_name

    def version(self, name: str) -> str | None:
        """The version of a distribution by its name; None if it is not installed, or nobody knows."""
        distribution = self.distributions().get(normalized(name))
        return None if distribution is None else distribution.version

    def entry_points(self, *groups: str) -> dict[str, list[EntryPoint]]:
        """Entry points by group, in the order of distribution names, so that every process sees the same order."""
        found: dict[str, list[EntryPoint]] = {group: [] for group in groups}
        for _, distribution in sorted(self.distributions().items()):
            for entry_point in distribution.entry_points(groups):
                found[entry_point.group].append(entry_point)
        return found

    def _place(self, entry: object) -> list[Distribution]:
        if not isinstance(entry, str):
            return _NOTHING
        folder = entry or "."
        try:
            changed_ns = os.stat(folder).st_mtime_ns
        except (OSError, ValueError):
            return _NOTHING
        known = self._folders.get(folder)
        if known is None or known[0] != changed_ns:
            known = self._folders[folder] = (changed_ns, _scan(folder))
        return known[1]


_NOTHING: list[Distribution] = []


def headers(metadata: str | None) -> list[str]:
    """The lines of a METADATA file before its description."""
    return (metadata or "").replace("\r\n", "\n").partition("\n\n")[0].splitlines()


def _read(path: str) -> bytes | None:
    # os.open, not open(): most distributions have no entry points, and a miss must cost a system call, not 20 us.
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except (OSError, ValueError):
        return None
    try:
        pieces = []
        while piece := os.read(descriptor, _READ_SIZE_BYTES):
            pieces.append(piece)
        return b"".join(pieces)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _scan(folder: str) -> list[Distribution]:
    try:
        names = os.listdir(folder)
    except NotADirectoryError:
        return _zipped(folder)
    except OSError:
        return _NOTHING
    found = []
    for file_name in sorted(name for name in names if name.endswith((".dist-info", ".egg-info"))):
        stem, _, kind = file_name.rpartition(".")
        if stem.startswith("~"):
            continue  # what an interrupted pip left behind
        name, _, version = stem.partition("-")
        if kind == "egg-info":
            version = version.partition("-py")[0]
        found.append(Distribution(name, os.path.join(folder, file_name), version or None))
    if folder.endswith(".egg") and "EGG-INFO" in names:
        name, _, version = os.path.basename(folder)[:-4].partition("-")
        found.append(Distribution(name, os.path.join(folder, "EGG-INFO"), version.partition("-py")[0] or None))
    return found


def _zipped(path: str) -> list[Distribution]:
    """The distributions in an archive; importlib.metadata is imported only if there are any."""
    import zipimport  # the interpreter has it loaded already

    try:
        archive = zipimport.zipimporter(path).archive
        files = getattr(zipimport, "_zip_directory_cache", {}).get(archive, {"EGG-INFO": ()})
    except Exception:  # not an archive, or a damaged one: the import system passes over it too
        return _NOTHING
    if not any(".dist-info" in name or "EGG-INFO" in name or ".egg-info" in name for name in files):
        return _NOTHING
    import importlib.metadata  # 25 ms, and only for archives that hold distributions

    return _delegated(importlib.metadata.distributions(path=[path]))


def _unusual_finders() -> list[list[Distribution]]:
    """Finders that know distributions of their own, as frozen applications have."""
    found = []
    for finder in sys.meta_path:
        if (getattr(finder, "__module__", None) or "").partition(".")[0].lstrip("_") in _USUAL:
            continue
        if hasattr(finder, "find_distributions"):
            from importlib.metadata import DistributionFinder  # no other way to ask such a finder

            found.append(_delegated(finder.find_distributions(DistributionFinder.Context())))
    return found


# importlib_metadata, the backport, finds what the scan finds.
_USUAL = frozenset(("frozen_importlib", "frozen_importlib_external", "importlib", "importlib_metadata"))


def _delegated(distributions: Any) -> list[Distribution]:
    found: list[Distribution] = []
    for distribution in distributions:
        try:
            found.append(_Delegated(distribution))
        except Exception:  # noqa: S112 - metadata without a name; nobody can ask for it either
            continue
    return found


def _listed(text: str, groups: Sequence[str], distribution: Distribution) -> Iterator[EntryPoint]:
    group = ""
    for line in map(str.strip, text.splitlines()):
        if not line or line[0] in "#;":
            continue
        if line[0] == "[" and line[-1] == "]":
            group = line[1:-1].strip()
        elif group in groups and "=" in line:
            name, _, value = line.partition("=")
            yield EntryPoint(name.strip(), value.partition("[")[0].strip(), group, distribution)
