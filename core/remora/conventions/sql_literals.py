"""Takes the literals out of a query, so that its text can be shown; when in doubt, more goes rather than less."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

    from remora.conventions.sql_dialects import Dialect

MAX_SQL_CHARS = 32_768

_MAX_IDENTIFIER_CHARS = 132  # the longest any database allows, with its quotes; longer ones are data
_PREFIXES = frozenset("&nNeExXbBrRqQ")
_CLOSING = {'"': '"', "`": "`", "[": "]"}
_BEFORE_OPERATOR = frozenset("_)]\"'`?")

_COMPARISONS = frozenset({"=", "<", ">", "LIKE", "GLOB", "MATCH", "REGEXP", "BETWEEN"})
_LISTS = frozenset({"IN", "VALUES"})
_AFTER_LIST = frozenset({"AND", "OR", "SELECT", "FROM", "WHERE", "ON", "SET", "RETURNING", "ORDER", "GROUP", "AS", ";"})

_SOURCES = {
    "uuid": r"(?<![\w-])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![\w-])",
    "boolean": r'"[^"]*"|`[^`]*`|\b(?:true|false)\b',
    "list": r"\?(?:\s*,\s*\?)+(\s*\))?",
    "identified": r"""(\bidentified\s+(?:with\s+\S+\s+)?(?:by|as|using)\s+(?:password\s+|values\s+)?)
        (?:"[^"]*"|[^\s,;]+)""",
    "doubtful": r"""(?P<name>(?:"(?:[^"]|"")*"|[^\W\d]\w*)(?:\s*\.\s*(?:"(?:[^"]|"")*"|\w+))+)
        |"(?:[^"]|"")*"|[^\W\d]\w*|[=<>;]""",
}
_compiled: dict[str, re.Pattern[str]] = {}


def removed(text: str, dialect: Dialect) -> str:
    """The query with every literal as ``?`` and without comments; parameters and quoted identifiers stay."""
    if len(text) > MAX_SQL_CHARS:
        text = text[:MAX_SQL_CHARS]
    if dialect.bare_uuids:
        text = _pattern("uuid").sub("?", text)
    clean = _scanned(text, dialect)
    lowered = clean.lower()
    if "true" in lowered or "false" in lowered:
        clean = _pattern("boolean").sub(lambda found: found.group() if found.group()[0] in '"`' else "?", clean)
    if "identified" in lowered:
        clean = _pattern("identified").sub(r"\1?", clean)
    if dialect.doubtful_quotes and '"' in clean:
        clean = _without_doubtful_quotes(clean)
    if "?," in clean:
        clean = _pattern("list").sub(_collapsed, clean)
    return clean


def _collapsed(found: re.Match[str]) -> str:
    """IN (?, ?, ?) becomes IN (?); other lists stay."""
    before = found.string[max(0, found.start() - 16) : found.start()].rstrip()
    word = before[:-1].rstrip()
    if found[1] and before[-1:] == "(" and word[-2:].lower() == "in" and not _is_word(word[-3:-2]):
        return "?)"
    return found[0]


def _scanned(text: str, dialect: Dialect) -> str:
    pieces: list[str] = []
    add = pieces.append
    identifiers = dialect.identifiers
    scan = dialect.pattern.finditer
    length = len(text)
    kept = 0  # up to here the text is in pieces
    resume = 0
    while resume < length:
        for found in scan(text, resume):
            start, end = found.span()
            first = text[start]
            placeholder = "?"
            if first == "'":
                if dialect.doubtful_strings and "\\'" in found[0] and not _is_escape_string(text, start):
                    end = length
                if start > kept and text[start - 1] in _PREFIXES:
                    start = _prefix_start(text, start, kept)
            elif first in identifiers:
                if end - start < _MAX_IDENTIFIER_CHARS and _is_identifier(text, start, end):
                    continue
            elif first in "-/#":
                if first == "/":
                    end = _comment_end(text, start, end)
                placeholder = _between_words(text, start, end)
            elif start > kept and text[start - 1] in ".+-":  # of a number
                start = _number_start(text, start, kept)
            add(text[kept:start])
            add(placeholder)
            kept = end
            if end != found.end():
                resume = end
                break
        else:
            break
    if not pieces:
        return text
    add(text[kept:])
    return "".join(pieces)


def _is_escape_string(text: str, quote: int) -> bool:
    """E'..' of PostgreSQL, where a backslash escapes for sure."""
    return quote > 0 and text[quote - 1] in "eE" and (quote == 1 or not _is_word(text[quote - 2]))


def _prefix_start(text: str, quote: int, kept: int) -> int:
    """Where N'..', X'..', U&'..' begin: the prefix is part of the literal."""
    start = quote
    if start - 1 > kept and text[start - 1] == "&" and text[start - 2] in "uU":
        start -= 2
    elif start > kept and text[start - 1] in "nNeExXbBrRqQ":
        start -= 1
        if start > kept and text[start] in "qQ" and text[start - 1] in "nN":
            start -= 1
    if start > kept and start != quote and _is_word(text[start - 1]):
        return quote  # the end of a word: LIKE'..'
    return start


def _number_start(text: str, start: int, kept: int) -> int:
    """Includes a leading dot and a sign that is no operator between two operands."""
    if start > kept and text[start - 1] == "." and (start - 1 == kept or not _is_operand(text[start - 2])):
        start -= 1
    if start > kept and text[start - 1] in "+-" and (start - 1 == kept or not _is_operand(text[start - 2])):
        start -= 1
    return start


def _is_word(char: str) -> bool:
    return char.isalnum() or char in ("_", "$")


def _is_operand(char: str) -> bool:
    return char in _BEFORE_OPERATOR or char.isalnum()


def _is_identifier(text: str, start: int, end: int) -> bool:
    """Whether a quoted identifier is closed, and not empty."""
    closing = _CLOSING[text[start]]
    return end - start > 2 and text[end - 1] == closing and text.count(closing, start + 1, end) % 2 == 1


def _comment_end(text: str, start: int, end: int) -> int:
    """Comments nest in PostgreSQL and SQL Server; where they do not, nesting drops too much, never too little."""
    position = start + 2
    if text.find("/*", position, end) < 0:
        return end
    depth = 1
    while depth:
        closing = text.find("*/", position)
        if closing < 0:
            return len(text)
        opening = text.find("/*", position, closing)
        depth += 1 if opening >= 0 else -1
        position = (opening if opening >= 0 else closing) + 2
    return position


def _between_words(text: str, start: int, end: int) -> str:
    joins = start > 0 and end < len(text) and _is_word(text[start - 1]) and _is_word(text[end])
    return " " if joins else ""


def _without_doubtful_quotes(text: str) -> str:
    """SQLite takes "x" for a string where no column has that name: after a comparison and among values it goes."""
    pieces: list[str] = []
    kept = 0
    listed = False
    before = ""
    for found in _pattern("doubtful").finditer(text):
        token = found.group()
        if found.lastgroup == "name":
            before = ""
        elif token[0] != '"':
            before = token.upper()
            listed = before in _LISTS or (listed and before not in _AFTER_LIST)
        elif listed or before in _COMPARISONS:
            pieces.append(text[kept : found.start()])
            pieces.append("?")
            kept = found.end()
    pieces.append(text[kept:])
    return "".join(pieces)


def _pattern(name: str) -> re.Pattern[str]:
    compiled = _compiled.get(name)
    if compiled is None:
        import re  # deferred: compiled when the first query needs it

        compiled = _compiled[name] = re.compile(_SOURCES[name], re.IGNORECASE | re.VERBOSE)
    return compiled
