"""Databases quote the data they choke on: DETAIL lines, duplicate entries, the query; this takes the data out."""

from __future__ import annotations

from remora.conventions import sql_dialects, sql_literals

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

_REDACTED = "REDACTED"
_WINDOW_CHARS = 4096  # how far the end of a quoted value is looked for, which keeps the time linear

# What follows a value in "Key (email)=(a@b) already exists"; the value itself may hold anything, line ends too.
_AFTER_KEY = (") already exists", ") is not present", ") is still referenced", ") conflicts with")
_SECTION = r"""\n(?:(?:HINT|CONTEXT|QUERY|STATEMENT|LOCATION|DETAIL):
                  |LINE\ |\[SQL:|\[parameters:|\(Background|\n|Traceback|\ \ File\ )"""

_KEYWORDS = r"""["'](?:from|where|select|order|group|by|and|or|on|set|values|into|join|as|end|[^\w"']{1,2})["']"""
_VALUES = rf"""
    (\b(?:input\ syntax\ for\ type\ [\w ]{{1,64}}:|input\ value\ for\ enum\ [\w."]{{1,64}}:
      |field\ value\ out\ of\ range:
      |\w{{1,32}}\ literal:|for\ parameter\ "\w{{1,64}}":|portal\ parameter\ \$\d{{1,5}}\ =
      |(?:varchar|char|nvarchar|nchar|text|string|date|datetime|time|timestamp|int|integer|bigint|smallint|tinyint|decimal
         |double|float|numeric|uuid|json)\ value:?
      |\bvalue(?=\ "[^"\n]{{0,512}}"\ is\ out\ of\ range)|\bnear(?!\ {_KEYWORDS}))\ )
    (?:[EeNn]?'(?:[^'\n]+|'(?=\w))*'? | "(?:[^"\n]+|""|"(?=\w))*"?)
"""
# A quoted word after one of these is the name of a thing, not data.
_NAMES = rf"""
    (\b(?:column|table|relation|constraint|index|key|view|schema|database|function|procedure|trigger|type|role|user
       |sequence|field|object|operator|extension|language|cursor|savepoint|tablespace|partition|attribute|domain|enum
       |statement|option|tables|columns|variable|in)\s(?:'[\w.$\ -]{{1,130}}'|"[\w.$\ -]{{1,130}}"))
  | (\bnear\s{_KEYWORDS} | \(-?\d{{1,6}},\ ["'] | ["']\)(?=\n|\Z))
  | (?<!\w)(?:[EeNnXxBb]?'(?:[^']+|'(?=\w))*'?|"(?:[^"]+|""|"(?=\w))*"?)
"""
_compiled: dict[str, re.Pattern[str]] = {}


def without_values(text: str) -> str:
    """Any text, with what database messages in it quote of the data or of the query REDACTED."""
    if "[SQL:" in text or "[parameters:" in text:
        text = _without_statements(text)
    if ")=(" in text:
        text = _without_keys(text)
    if "uplicate " in text:
        text = _between(text, "uplicate entry '", ("' for key",))
        text = _between(text, "uplicate key value is (", (").\n", ")."))
    if "syntax to use near '" in text:
        text = _between(text, "syntax to use near '", ("' at line ",))
    if "ailing row contains (" in text:
        text = _between(text, "ailing row contains (", (").\n", ")."))
    if "DETAIL:" in text or "QUERY:" in text or "STATEMENT:" in text or "CONTEXT:" in text:
        text = _without_sections(text)
    if "LINE " in text:
        text = _pattern(r"(^LINE\ \d{1,6}:\ )[^\n]+").sub(r"\1REDACTED", text)
    if "value" in text or "near" in text or "literal: " in text or " syntax for " in text or "parameter " in text:
        text = _pattern(_VALUES).sub(r"\1REDACTED", text)
    return text


def without_quoted_values(text: str) -> str:
    """A database's own message: every quoted string is REDACTED unless it is told to be a name."""
    if "'" not in text and '"' not in text:
        return text
    return _pattern(_NAMES).sub(lambda found: found.group(1) or found.group(2) or "'REDACTED'", text)


def _without_statements(text: str) -> str:
    """What SQLAlchemy appends: literals of the statement become ?, the parameters go."""
    pieces: list[str] = []
    position = 0
    while True:
        starts = [start for start in (text.find("[SQL:", position), text.find("[parameters:", position)) if start >= 0]
        if not starts:
            pieces.append(text[position:])
            return "".join(pieces)
        start = min(starts)
        end = text.find("]\n", start)
        if end < 0:
            end = len(text) - 1 if text.endswith("]") else len(text)
        colon = text.index(":", start) + 1
        pieces.append(text[position:colon])
        if text.startswith("[SQL:", start):
            pieces.append(sql_literals.removed(text[colon:end], sql_dialects.UNKNOWN))
        else:
            pieces.append(" " + _REDACTED)
        position = end


def _without_keys(text: str) -> str:
    pieces: list[str] = []
    position = 0
    while (start := text.find(")=(", position)) >= 0:
        start += 3
        pieces.append(text[position:start])
        position = start
        if text.rfind("ey (", max(0, start - _WINDOW_CHARS), start) < 0:
            continue
        ends = [end for ending in _AFTER_KEY if (end := text.find(ending, start, start + _WINDOW_CHARS)) >= 0]
        position = min(ends) if ends else _last_bracket(text, start)
        pieces.append(_REDACTED)
    pieces.append(text[position:])
    return "".join(pieces)


def _last_bracket(text: str, start: int) -> int:
    end = _section_end(text, start)
    bracket = text.rfind(")", start, end)
    return bracket if bracket >= 0 else end


def _between(text: str, opening: str, endings: tuple[str, ...]) -> str:
    """Redacts what stands between the opening and the first ending, or else the rest of the section."""
    pieces: list[str] = []
    position = 0
    while (start := text.find(opening, position)) >= 0:
        start += len(opening)
        found = -1
        for ending in endings:
            found = text.find(ending, start, start + _WINDOW_CHARS)
            if found >= 0:
                break
        pieces.append(text[position:start])
        pieces.append(_REDACTED)
        position = found if found >= 0 else _section_end(text, start)
    pieces.append(text[position:])
    return "".join(pieces)


def _without_sections(text: str) -> str:
    """PostgreSQL's sections: DETAIL, QUERY and STATEMENT go, save a DETAIL whose key values are out already."""
    pieces: list[str] = []
    position = 0
    for found in _pattern(r"^[ \t]{0,8}(DETAIL|QUERY|STATEMENT|CONTEXT):[ \t]{0,8}").finditer(text):
        start = found.end()
        if start < position:
            continue
        end = _section_end(text, start)
        section = text[start:end]
        pieces.append(text[position:start])
        if found.group(1) == "CONTEXT" and not section.startswith(("JSON data", "COPY ")):
            section = without_quoted_values(section)
        elif ")=(REDACTED" not in section and "(REDACTED)" not in section:
            section = _REDACTED
        pieces.append(section)
        position = end
    pieces.append(text[position:])
    return "".join(pieces)


def _section_end(text: str, start: int) -> int:
    found = _pattern(_SECTION).search(text, start)
    return found.start() if found is not None else len(text)


def _pattern(source: str) -> re.Pattern[str]:
    compiled = _compiled.get(source)
    if compiled is None:
        import re  # deferred: most programs never fail, and then nothing here needs it

        compiled = _compiled[source] = re.compile(source, re.VERBOSE | re.IGNORECASE | re.MULTILINE)
    return compiled
