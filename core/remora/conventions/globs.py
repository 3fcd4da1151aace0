"""Patterns with * and ? for hosts, paths and URLs: easier to get right than regular expressions, and safer."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Iterable


def regex(pattern: str, star: str = ".*") -> str:
    """The regular expression of one pattern; ``*`` also runs over slashes and dots."""
    import re  # deferred: only where somebody configures a pattern

    return "".join(star if sign == "*" else "." if sign == "?" else re.escape(sign) for sign in pattern)


def any_of(patterns: Iterable[str], ignore_case: bool = False) -> re.Pattern[str] | None:
    """What matches one of the patterns in full; None when there are none."""
    import re  # deferred, as above

    alternatives = "|".join(regex(pattern) for pattern in patterns)
    if not alternatives:
        return None
    return re.compile(f"(?:{alternatives})\\Z", re.DOTALL | (re.IGNORECASE if ignore_case else 0))
