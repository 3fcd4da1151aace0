"""What the manifests claim, as something that can be installed and tested."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from versions.companions import companions_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remora.host.manifest import Instrumentation


@dataclass(frozen=True)
class Claim:
    """One row at one end of its range; ``companions`` are what its tests need besides, of the same time."""

    name: str
    family: str
    requirements: tuple[str, ...]
    companions: tuple[str, ...]
    tests: tuple[str, ...]


def claims(family: str, names: Sequence[str] = (), *, latest: bool = False) -> list[Claim]:
    """All rows of a family that claim versions, or those called ``names``."""
    manifest = importlib.import_module(f"remora_plugins.{family}.manifest")
    rows: list[Instrumentation] = [row for row in manifest.instrumentations() if row.supports]
    unknown = set(names) - {row.name for row in rows}
    if unknown:
        raise SystemExit(f"no row of the family {family} claims versions of {', '.join(sorted(unknown))}")
    return [_claim(family, row, latest=latest) for row in rows if not names or row.name in names]


def _claim(family: str, row: Instrumentation, *, latest: bool) -> Claim:
    modules = sorted({reference.partition(":")[0].rpartition(".")[2] for reference in row.hooks.values()})
    return Claim(
        row.name,
        family,
        tuple(each if latest else oldest(each) for each in row.supports),
        companions_of(row.name, latest=latest),
        tuple(f"tests/plugins/{family}/test_{module}.py" for module in modules),
    )


def oldest(requirement: str) -> str:
    """The first version that a requirement admits: ``flask>=2.0,<4`` becomes ``flask==2.0``."""
    parsed = Requirement(requirement)
    floors = [each.version for each in parsed.specifier if each.operator in (">=", "==", "~=")]
    if not floors:
        raise ValueError(f"{requirement} has no oldest version")
    return f"{parsed.name}=={floors[0]}"
