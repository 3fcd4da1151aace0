"""One request that makes some of the conventions' conditions hold, and what its span has to say then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ANY = object()
"""A value that only the library decides, so that it only has to be there."""


@dataclass(frozen=True)
class OneOf:
    """Values that the conventions allow for one and the same thing."""

    values: tuple[object, ...]

    def __eq__(self, other: object) -> bool:
        return other in self.values

    def __hash__(self) -> int:
        return hash(self.values)


@dataclass(frozen=True)
class TypeNamed:
    """The full name of a class that is called one of ``names``."""

    names: tuple[str, ...]

    def __eq__(self, other: object) -> bool:
        return str(other).rpartition(".")[2] in self.names

    def __hash__(self) -> int:
        return hash(self.names)


@dataclass(frozen=True)
class TemplateOf:
    """A route that can have matched ``path``: the frameworks write the parameters each in their own way."""

    path: str

    def __eq__(self, other: object) -> bool:
        ours = self.path.split("/")
        theirs = str(other).removesuffix("/").split("/") if other != "/" else ["", ""]
        return len(ours) == len(theirs) and all(map(_matches, ours, theirs))

    def __hash__(self) -> int:
        return hash(self.path)


def _matches(value: str, part: str) -> bool:
    """Whether a part of a template is the part of a path itself, or a parameter in place of a number."""
    return value not in part if value.isdecimal() else value == part


@dataclass(frozen=True)
class Expected:
    """Of one span: ``attributes`` are all that apply in the situation, with their values; no others may be there.

    The name is ``name``, followed by the route where there is one. ``untold`` holds those that apply but not to this
    library, with the reason; ``may_be`` those that need not be there.
    """

    situation: str
    side: str
    name: str
    attributes: dict[str, Any]
    status: str = "UNSET"
    untold: dict[str, str] = field(default_factory=dict)
    may_be: frozenset[str] = frozenset()
