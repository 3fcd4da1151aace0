"""Which versions are installed here, and whether a requirement of a manifest admits them."""

from __future__ import annotations

import sys
from importlib import metadata

from packaging.requirements import Requirement
from packaging.version import Version

PYTHON = sys.version_info[:2]


def installed_version(distribution: str) -> Version | None:
    try:
        return Version(metadata.version(distribution))
    except metadata.PackageNotFoundError:
        return None


def admits_installed(requirement: str) -> bool | None:
    """Whether the installed version lies in the requirement's range; None where the distribution is not installed."""
    parsed = Requirement(requirement)
    version = installed_version(parsed.name)
    return None if version is None else parsed.specifier.contains(version, prereleases=True)


def is_bounded(requirement: str) -> bool:
    """An honest range says from which version on and up to which one somebody looked."""
    operators = {specifier.operator for specifier in Requirement(requirement).specifier}
    return bool(operators & {">=", ">", "==", "~="}) and bool(operators & {"<", "<=", "==", "~="})
