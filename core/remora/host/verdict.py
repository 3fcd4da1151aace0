"""May a plugin patch the version that is installed? Newer than tested: yes, with a note. Older: no, with a reason."""

from __future__ import annotations

from remora.host.versions import EXCLUDED, INSIDE, NEWER, OLDER, UnreadableError, place, requirement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Final

TESTED: Final = "tested"
UNTESTED: Final = "untested"
REFUSED: Final = "refused"

_WORDS = {OLDER: "is older than", NEWER: "is newer than", EXCLUDED: "is excluded by"}


class Verdict:
    """``standing`` is tested, untested or refused; ``version`` of the library, None if unknown; ``reason`` in words."""

    __slots__ = ("reason", "standing", "version")

    def __init__(self, standing: str, version: str | None, reason: str = "") -> None:
        self.standing = standing
        self.version = version
        self.reason = reason


def judge(supports: Sequence[str], version_of: Callable[[str], str | None]) -> Verdict:
    """The best verdict over requirements of which any one will do; none at all is the standard library."""
    if not supports:
        return Verdict(TESTED, None)
    verdicts = [verdict for verdict in (_one(text, version_of) for text in supports) if verdict is not None]
    if not verdicts:
        names = " or ".join(requirement(text)[0] for text in supports)
        return Verdict(UNTESTED, None, f"its version is unknown: no installed distribution is called {names}")
    return min(verdicts, key=lambda verdict: (TESTED, UNTESTED, REFUSED).index(verdict.standing))


def judge_all(supports: Sequence[str], version_of: Callable[[str], str | None]) -> Verdict:
    """The worst verdict over requirements that must all be met; the version is the first one's."""
    verdicts = [judge((text,), version_of) for text in supports] or [judge((), version_of)]
    worst = max(verdicts, key=lambda verdict: (TESTED, UNTESTED, REFUSED).index(verdict.standing))
    return Verdict(worst.standing, verdicts[0].version, worst.reason)


def _one(text: str, version_of: Callable[[str], str | None]) -> Verdict | None:
    name, specifier = requirement(text)
    version = version_of(name)
    if version is None:
        return None
    try:
        where = place(version, specifier)
    except UnreadableError as unreadable:
        return Verdict(UNTESTED, version, f"whether {name} {version} was tested cannot be told: {unreadable}")
    if where == INSIDE:
        return Verdict(TESTED, version)
    standing = UNTESTED if where == NEWER else REFUSED
    return Verdict(standing, version, f"{name} {version} {_WORDS[where]} the tested range {name}{specifier}")
