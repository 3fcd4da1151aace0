"""Under which names a distribution is imported: psycopg2-binary is psycopg2, google-genai is google.genai."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from remora.host.installed import Distribution

_NO_LIBRARY = frozenset(("test", "tests", "docs", "examples", "benchmarks"))


def import_names(name: str, distribution: Distribution | None) -> tuple[str, ...]:
    """The packages and modules of the distribution ``name``; a guess from the name if it is not installed.

    The cheapest evidence first: a package next to the metadata that has the name of the distribution, then
    top_level.txt, then RECORD, which is large but the only one to tell a package inside a namespace.
    """
    guess = name.strip().lower().replace("-", "_").replace(".", "_")
    if distribution is None:
        return (guess,)
    place = os.path.dirname(distribution.folder)
    if distribution.folder and _is_importable(place, guess):
        return (guess,)
    return _top_level(distribution, place) or _recorded(distribution) or (guess,)


def _is_importable(place: str, name: str) -> bool:
    return os.path.exists(f"{place}/{name}/__init__.py") or os.path.exists(f"{place}/{name}.py")


def _top_level(distribution: Distribution, place: str) -> tuple[str, ...]:
    names = (distribution.text("top_level.txt") or "").split()
    return tuple(name for name in names if name[0] != "_" and name not in _NO_LIBRARY and _is_importable(place, name))


def _recorded(distribution: Distribution) -> tuple[str, ...]:
    """The outermost packages of RECORD that are none of a namespace, and its lone modules."""
    packages: set[str] = set()
    modules: set[str] = set()
    for line in (distribution.text("RECORD") or "").splitlines():
        path = line.partition(",")[0]
        folder, _, file_name = path.rpartition("/")
        if not all(part.isidentifier() for part in folder.split("/") if folder):
            continue
        if file_name == "__init__.py":
            packages.add(folder.replace("/", "."))
        elif not folder and file_name.endswith((".py", ".so", ".pyd")):
            modules.add(file_name.partition(".")[0])
    outermost = (package for package in packages if not any(parent in packages for parent in _parents(package)))
    found = (name for name in (*outermost, *modules) if name[:1] != "_" and name.partition(".")[0] not in _NO_LIBRARY)
    return tuple(sorted(found))


def _parents(package: str) -> list[str]:
    parts = package.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]
