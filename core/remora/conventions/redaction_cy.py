"""The one stage through which everything that may hold a secret passes before it becomes telemetry.

Only values are replaced, by REDACTED: the text stays readable. Every function takes linear time on bounded input.
Compiled when it can be, for every request's query passes; the same source either way.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from remora import _cython as cython  # type: ignore[no-redef]

from remora.conventions import secret_text, sensitive_names

if not cython.compiled:
    from remora.conventions.values_cy import exact_text
else:
    from cython.cimports.remora.conventions.values_cy import exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COMPILED = cython.compiled
REDACTED = "REDACTED"
MAX_QUERY_CHARS = 8192
MAX_TEXT_CHARS = 32_768

_KEEP = cython.declare(cython.int, sensitive_names.KEEP)
_REDACT = cython.declare(cython.int, sensitive_names.REDACT)
_LONG_CHARS = cython.declare(cython.int, sensitive_names.LONG_CHARS)
_verdicts: dict[str, int] = sensitive_names.verdicts


def url_query(query: str) -> str:
    """A query string (without "?") whose sensitive values are REDACTED; keys stay. Also for a URL's fragment."""
    if len(query) > MAX_QUERY_CHARS:
        query = query[:MAX_QUERY_CHARS]
    nests: cython.bint = False
    assigned: cython.bint = False
    char: cython.Py_UCS4
    for char in query:
        if char == "&":
            assigned = False
        elif char == "=":
            if assigned:
                nests = True
                break
            assigned = True
        elif char == ":" or char == ";" or char == "%" or char == "J":
            nests = True  # it may carry something; which of all that is asked of each pair
            break
    pairs: list[str] | None = None
    start: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t = 0
    size: cython.Py_ssize_t = len(query)
    index: cython.Py_ssize_t = 0
    while start <= size:
        end = query.find("&", start)
        if end < 0:
            end = size
        equals: cython.Py_ssize_t = query.find("=", start, end)
        name: str = query[start : equals if equals >= 0 else end]
        known: Any = _verdicts.get(name)
        verdict: cython.int = sensitive_names.verdict(name) if known is None else known
        hidden: str | None = None
        if verdict != _KEEP and 0 <= equals < end - 1 and (verdict == _REDACT or end - equals > _LONG_CHARS):
            hidden = name + "=" + REDACTED
        elif nests and _nests_secret(query[start:end]):
            hidden = _redacted_within(name, "=" if equals >= 0 else "", query[equals + 1 : end] if equals >= 0 else "")
        if hidden is not None:
            if pairs is None:
                pairs = query.split("&")
            pairs[index] = hidden
        index += 1
        start = end + 1
    return query if pairs is None else "&".join(pairs)


def userinfo(text: str) -> str:
    """The text with ``user:password@`` of every URL in it replaced by ``REDACTED:REDACTED@``."""
    return secret_text.without_userinfo(text) if "@" in text or "%" in text else text


def text(message: object, limit: int = MAX_TEXT_CHARS) -> str:
    """An exception message, stack trace, log line with its secrets REDACTED; the middle of one too long is left out."""
    found = exact_text(message)
    if not found:
        return ""
    if len(found) > limit:
        found = _shortened(found, limit)
    try:
        from remora.conventions import database_messages  # deferred, as below: most processes start without an error

        return database_messages.without_values(secret_text.without_secrets(found))
    except Exception:
        return REDACTED  # a fault of ours must not let the text through


def database_text(message: object, limit: int = MAX_TEXT_CHARS) -> str:
    """A database's error message: as ``text``, and quoted values go too; quoted names of tables and columns stay."""
    try:
        from remora.conventions import database_messages

        return database_messages.without_quoted_values(text(message, limit))
    except Exception:
        return REDACTED


def _shortened(text: str, limit: int) -> str:
    """The first quarter and the end, which tells most of a stack trace, begun at a line so as to split no secret."""
    head = text[: limit // 4]
    begin = text.find("\n", len(text) - limit + len(head))
    return f"{head}\n...{text[begin:]}" if begin >= 0 else text[:limit]


def _nests_secret(pair: str) -> bool:
    """Whether a parameter that looks harmless carries another URL, JSON or token with a secret in it."""
    # Only ":" and "=" stand between a name and its secret, plain, encoded or encoded twice; a JWT needs no name.
    if not ("%3" in pair or "%25" in pair or ":" in pair or ";" in pair or "eyJ" in pair or pair.count("=") > 1):
        return False
    decoded = pair.replace("+", " ")
    for _ in range(3):
        if text(decoded) != decoded:
            return True
        if "%" not in decoded:
            return False
        decoded = sensitive_names.percent_decoded(decoded)
    return text(decoded) != decoded


def _redacted_within(name: str, equals: str, value: str) -> str:
    if not equals:
        return REDACTED
    # Without percent-encoding the secret's own place is visible; else the whole value goes.
    cleaned = text(value) if "%" not in value else REDACTED
    return name + equals + (cleaned if cleaned != value else REDACTED)
