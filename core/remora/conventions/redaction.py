"""Redaction, by its usual name."""

from __future__ import annotations

from remora.conventions.redaction_cy import (
    MAX_QUERY_CHARS,
    MAX_TEXT_CHARS,
    REDACTED,
    database_text,
    text,
    url_query,
    userinfo,
)
from remora.conventions.sensitive_names import configure

__all__ = [
    "MAX_QUERY_CHARS",
    "MAX_TEXT_CHARS",
    "REDACTED",
    "configure",
    "database_text",
    "text",
    "url_query",
    "userinfo",
]
