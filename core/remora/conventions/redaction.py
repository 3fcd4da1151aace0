"""The one stage through which everything that may hold a secret passes before it becomes telemetry.

Only values are replaced, by REDACTED: the text stays readable. Every function takes linear time on bounded input.
"""

from __future__ import annotations

from remora.conventions import secret_text, sensitive_names
from remora.conventions.sensitive_names import configure, hides
from remora.conventions.values_cy import exact_text

__all__ = ["REDACTED", "configure", "database_text", "text", "url_query", "userinfo"]

REDACTED = "REDACTED"
MAX_QUERY_CHARS = 8192
MAX_TEXT_CHARS = 32_768

_KEEP = sensitive_names.KEEP
_verdicts = sensitive_names.verdicts


def url_query(query: str) -> str:
    """A query string (without "?") whose sensitive values are REDACTED; keys stay. Also for a URL's fragment."""
    if len(query) > MAX_QUERY_CHARS:
        query = query[:MAX_QUERY_CHARS]
    pairs = query.split("&")
    nests = (
        "%3" in query
        or "%25" in query
        or ":" in query
        or ";" in query
        or "eyJ" in query
        or query.count("=") > len(pairs)
    )
    changed = False
    for index, pair in enumerate(pairs):
        name, equals, value = pair.partition("=")
        verdict = _verdicts.get(name)
        if verdict is None:
            verdict = sensitive_names.verdict(name)
        if verdict != _KEEP and value and hides(name, value):
            pairs[index] = name + "=" + REDACTED
            changed = True
        elif nests and _nests_secret(pair):
            pairs[index] = _redacted_within(name, equals, value)
            changed = True
    return "&".join(pairs) if changed else query


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
