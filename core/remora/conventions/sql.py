"""What can be told of a query: its text without literals and its summary, worked out once per text."""

from __future__ import annotations

from remora.conventions import sql_dialects, sql_literals, sql_summary
from remora.conventions.recent_cy import Recent

MAX_TEXT_CHARS = 16_384  # of db.query.text
MAX_SUMMARY_CHARS = sql_summary.MAX_SUMMARY_CHARS
_MAX_REMEMBERED_CHARS = sql_literals.MAX_SQL_CHARS
_MAX_SUMMARIES = 1024  # in each of two generations
_MAX_SUMMARY_WEIGHT = 1 << 20

# Queries with literals in them are all different; without, they are few, and so is the work of summing them up.
_summaries = Recent(_MAX_SUMMARIES, _MAX_SUMMARY_WEIGHT)


class Statement:
    """A query as it may be shown: ``text`` without literals, ``raw`` as written, ``summary`` of what it does."""

    __slots__ = ("raw", "summary", "text")

    def __init__(self, text: str, raw: str, summary: str | None) -> None:
        self.text = text
        self.raw = raw
        self.summary = summary


def read(text: str, system: str) -> Statement | None:
    """The statement behind ``text``, an exact str; None when the system does not speak SQL. Never raises."""
    dialect = sql_dialects.of(system)
    if dialect is None:
        return None
    statement: Statement | None = dialect.statements.find(text)
    if statement is None:
        statement = _worked_out(text, dialect)
        size = len(text)
        if size <= _MAX_REMEMBERED_CHARS:
            dialect.statements.keep(text, statement, size)
    return statement


def _worked_out(text: str, dialect: sql_dialects.Dialect) -> Statement:
    try:
        clean = sql_literals.removed(text, dialect)
        summary: str | None = _summaries.find(clean)
        if summary is None:
            summary = sql_summary.summarised(clean)
            _summaries.keep(clean, summary or "", len(clean))
        return Statement(clean[:MAX_TEXT_CHARS], text[:MAX_TEXT_CHARS], summary or None)
    except Exception:
        return Statement("?", text[:MAX_TEXT_CHARS], None)  # a fault of ours must not let literals through
