"""MongoDB quotes documents in its errors, and pymongo appends the whole answer; this takes them out."""

from __future__ import annotations

from remora.conventions import redaction


def redacted(message: object, limit: int = redaction.MAX_TEXT_CHARS) -> str:
    """A message or stack trace in which what stands between braces on a line is REDACTED."""
    text = redaction.database_text(message, limit)
    return "\n".join(map(_line, text.split("\n"))) if "{" in text else text


def _line(line: str) -> str:
    opening = line.find("{")
    if opening < 0:
        return line
    # A message that was cut off has no closing brace any more.
    closing = line.rfind("}")
    return f"{line[: opening + 1]}{redaction.REDACTED}{line[closing:] if closing > opening else ''}"
