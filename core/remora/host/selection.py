"""Which rows are wanted: an allow list and a deny list of names and globs, and the reason for each answer."""

from __future__ import annotations

from remora.settings import VARIABLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Choice:
    """Whether a row is wanted, and if not, why, in words that name the variable to change."""

    __slots__ = ("on", "reason")

    def __init__(self, on: bool, reason: str = "") -> None:
        self.on = on
        self.reason = reason


class Selection:
    """The deny list wins over the allow list.

    A pattern is a name or a glob on names; upper case and ``-`` for ``_`` make no difference. A plain name also hits by
    the library's import name or distribution, so that the names of OpenTelemetry contrib work ("kafka" for
    kafka_python). ``plugin:flask``, ``guest:flask`` and ``guest:*`` tell apart who would do it.
    """

    def __init__(self, allowed: Sequence[str], denied: Sequence[str]) -> None:
        self._allowed = [_Pattern(text, "instrumentations") for text in allowed]
        self._denied = [_Pattern(text, "disabled_instrumentations") for text in denied]
        self._names: set[str] = set()

    def choose(self, kind: str, name: str, also_known_as: Iterable[str] = (), default_on: bool = True) -> Choice:
        name = _folded(name)
        aliases = {_folded(alias) for alias in also_known_as}
        self._names.add(name)
        # Every pattern is tried, also behind the one that decides, so that none is called unmatched by mistake.
        denying = [pattern for pattern in self._denied if pattern.hits(kind, name, aliases)]
        allowing = [pattern for pattern in self._allowed if pattern.hits(kind, name, aliases)]
        if denying:
            return Choice(False, f"disabled by {denying[0]}")
        if not allowing:
            return Choice(False, f"not in {_variable('instrumentations')}={','.join(p.text for p in self._allowed)}")
        if not default_on and all(pattern.text == "*" for pattern in allowing):
            return Choice(False, f"off unless asked for: add {name} to {_variable('instrumentations')}")
        return Choice(True)

    def unmatched(self) -> list[tuple[str, str | None]]:
        """A note for each pattern that hit nothing, and the name that was probably meant."""
        return [
            (f"{pattern} matches no plugin", self._nearest(pattern.text))
            for pattern in (*self._allowed, *self._denied)
            if not pattern.used and pattern.text != "*"
        ]

    def _nearest(self, text: str) -> str | None:
        from difflib import get_close_matches  # only after a mistake

        near = get_close_matches(_folded(text), sorted(self._names), n=1, cutoff=0.7)
        return near[0] if near else None


class _Pattern:
    __slots__ = ("attribute", "folded", "is_glob", "text", "used")

    def __init__(self, text: str, attribute: str) -> None:
        self.text = text.strip()
        self.attribute = attribute
        self.folded = _folded(text)
        self.is_glob = any(character in text for character in "*?[")
        self.used = False

    def hits(self, kind: str, name: str, aliases: set[str]) -> bool:
        subject = f"{kind}:{name}" if ":" in self.folded else name
        if self.folded == "*":
            hit = True
        elif self.is_glob:
            from fnmatch import fnmatchcase  # compiles regular expressions, so only for who writes globs

            hit = fnmatchcase(subject, self.folded)
        else:
            hit = self.folded == subject or self.folded in aliases
        self.used = self.used or hit
        return hit

    def __str__(self) -> str:
        return f"{_variable(self.attribute)}={self.text}"


def _folded(name: str) -> str:
    return name.strip().lower().replace("-", "_")


def _variable(attribute: str) -> str:
    return next((variable.name for variable in VARIABLES if variable.attribute == attribute), attribute)
