"""Values as text for a terminal or a log, without what must not be seen there; not loaded by a clean boot."""

from __future__ import annotations

from remora.settings import endpoints
from remora.settings.readers import NO_TIMEOUT_S

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from remora.settings.variables import Variable

_LONGEST = 120


def shown(variable: Variable, value: object) -> str:
    """A value, or the raw text of one, in the notation a user writes it in; header values and passwords are starred."""
    if variable.secret:
        return ",".join(f"{name}=***" for name in value) if isinstance(value, dict) else "***"
    written = _written(value)
    if variable.name.endswith("_ENDPOINT"):
        written = endpoints.without_secrets(written)
    return written.encode("utf-8", "backslashreplace").decode()


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "0" if value == NO_TIMEOUT_S else f"{value * 1000:.0f}"
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, dict):
        return ",".join(f"{key}={part}" for key, part in value.items())
    return str(value)


def rejection(variable: Variable, raw: str, accepted: str, used: object) -> str:
    """The line that tells a user what was wrong, what would have been right, and what happens now."""
    given = "its value (kept secret)" if variable.secret else quoted(shown(variable, raw))
    instead = shown(variable, used)
    return f"{variable.name}: {given} is not accepted, only {accepted}; {f'using {instead}' if instead else 'ignored'}"


def quoted(given: str) -> str:
    """On one line, whatever was in it, and not endless."""
    return ascii(given if len(given) <= _LONGEST else given[:_LONGEST] + "...")


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that takes the fewest edits to reach; difflib would pull a dozen modules into the host."""
    return min(known, key=lambda candidate: _edits(name, candidate))


def _edits(left: str, right: str) -> int:
    row = list(range(len(right) + 1))
    for i, sign in enumerate(left, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(right, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (sign != other))
    return row[-1]
