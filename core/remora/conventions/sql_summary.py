"""The summary of a query: its operations and their targets in the order of the text, low in cardinality, no values."""

from __future__ import annotations

from remora.conventions import sql_words as words

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

MAX_SUMMARY_CHARS = 255
_MAX_QUERY_CHARS = 16_384  # beyond it the summary is long full

_NAME = r'(?:"(?:[^"]|""){1,130}"|`(?:[^`]|``){1,130}`|\[[^\[\]]{1,130}\]|(?:[^\W\d]|[#@])[\w$\#@]*)'
_TOKENS = rf"{_NAME}(?:\s*\.\s*{_NAME})*|%\(\w*\)[sbt]|%[sbt]\b|::?\w+|\$\w+|\?\d*|[(),;]"
_compiled: list[re.Pattern[str]] = []


def summarised(text: str) -> str | None:
    """The summary of a query from which the literals are gone; None when it holds no operation we know."""
    reading = _Reading()
    for token in _pattern().findall(text[:_MAX_QUERY_CHARS]):
        reading.take(token)
        if reading.over:
            break
    return " ".join(reading.parts) or None


class _Reading:
    """One pass over the tokens. A bracket opens a level with a state of its own; closing it restores the outer one."""

    __slots__ = (
        "announced",
        "before",
        "combining",
        "expecting",
        "fill",
        "levels",
        "listing",
        "muted",
        "object",
        "operation",
        "over",
        "parts",
        "query",
        "ready",
        "room",
    )

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.room = MAX_SUMMARY_CHARS + 1
        self.over = False
        self.levels: list[tuple[bool, bool, bool, bool]] = []
        self._begin_statement()

    def _begin_statement(self) -> None:
        self.levels.clear()
        self.operation = ""
        self.object: str | None = None  # what DDL acts on: "" while it is awaited
        self.ready = True  # the next word may be an operation
        self.announced = False  # an operation is still to come: after WITH, EXPLAIN
        self.expecting = False  # the next name that is no filler is a target
        self.fill = words.NO_FILL
        self.listing = False  # a comma brings another target
        self.query = False  # FROM and JOIN bring targets
        self.combining = False  # the next SELECT continues the one before: UNION
        self.muted = False  # nothing more of this statement counts
        self.before = ""

    def take(self, token: str) -> None:
        """Reads one token."""
        first = token[0]
        before = token
        if first == ";":
            self.over = self.object in words.ROUTINES  # the semicolons of a routine's body do not end it
            self._begin_statement()
        elif self.muted:
            self._listen(token.upper())
        elif first == "(":
            self._open()
        elif first == ")":
            if self.levels:
                self.listing, self.query, self.expecting, self.announced = self.levels.pop()
        elif first == ",":
            self.expecting = self.expecting or self.listing
        elif first == "@":
            self.expecting = self.expecting and self.operation in ("EXEC", "EXECUTE")  # EXEC @result = procedure
        elif first in "?:$%":
            self.expecting = False
        elif first in '"`[' or "." in token:
            self.ready = False
            if self.expecting and self.object != "":
                self._target(token)
        else:
            before = token.upper()
            self._word(token, before)
        self.before = before
        if self.combining and before not in words.COMBINING and before not in ("ALL", "DISTINCT", "("):
            self.combining = False

    def _add(self, part: str) -> None:
        self.room -= len(part) + 1
        if self.room < 0:
            self.over = True
        else:
            self.parts.append(part)

    def _expect(self, fill: frozenset[str]) -> None:
        self.expecting = True
        self.fill = fill

    def _open(self) -> None:
        aside = self.before == "TOP"  # TOP (10): the target comes after the bracket
        self.levels.append((self.listing, self.query, self.expecting and aside, self.announced))
        self.ready = self.before in ("AS", "MATERIALIZED") or not self.operation
        self.announced = False
        if aside or self.before == "USING" or not self.expecting:
            self.expecting = self.listing = self.query = False
        else:
            self.listing = self.query = True  # FROM (a JOIN b ..)

    def _listen(self, word: str) -> None:
        """What still matters after the operation is told: whom GRANT is about, what follows SET NOCOUNT ON."""
        if word == "ON" and self.operation in ("GRANT", "REVOKE") and self.object is None:
            self.muted = False
            self.object = "GRANT"
            self._expect(words.GRANT_FILL)
        elif word in ("ON", "OFF") and self.operation == "SET":
            self.muted = False
            self.ready = True

    def _word(self, word: str, upper: str) -> None:
        if self.object == "":
            self._object(word, upper)
            return
        if self.ready:
            if self._begins(word, upper):
                return
            self.ready = False
        if upper == "SELECT":
            if not self.combining:
                self._add(word)
            self.operation = upper
            self.query = True
            self.expecting = self.listing = False
            return
        if (
            self.announced
            and self.before not in words.NO_OPERATION_AFTER
            and upper not in words.BARE
            and self._begins(word, upper)
        ):
            return
        if self.expecting:
            if upper in self.fill:
                return
            if upper not in words.END_OF_LIST:
                self._target(word)
                return
        self._clause(upper)

    def _begins(self, word: str, upper: str) -> bool:
        """Takes the word for an operation if it is one."""
        if upper == "WITH" or upper in words.ANNOUNCING:
            self.announced = True
        elif upper in words.DML:
            self.query = True
            self._expect(words.DML[upper])
        elif upper in words.DDL:
            self.object = ""
        elif upper in words.TARGETED:
            self._expect(words.TARGETED[upper])
        elif upper in words.BARE:
            self.muted = upper != "VALUES"
        else:
            return False
        self.ready = False
        if upper != "WITH":
            self.operation = upper
            self.listing = upper in words.LISTING
            self._add(word)
        return True

    def _object(self, word: str, upper: str) -> None:
        if upper not in words.MODIFIERS:
            self.object = upper
            self._add(word)
            self._expect(words.DDL_FILL)

    def _target(self, name: str) -> None:
        self._add(name)
        self.expecting = False
        operation = self.operation
        if operation in words.DDL:
            # Of all definitions only that of a table by a query runs the query.
            self.muted = operation != "DROP" and (operation, self.object) != ("CREATE", "TABLE")
        elif operation in words.TARGETED:
            self.muted = not self.listing
        elif operation in ("GRANT", "REVOKE"):
            self.muted = True

    def _clause(self, upper: str) -> None:
        if upper == "FROM":
            if self.query and self.before != "DISTINCT":  # IS DISTINCT FROM
                self.listing = True
                self._expect(words.FROM_FILL)
        elif upper in ("JOIN", "STRAIGHT_JOIN", "APPLY"):
            if self.query:
                self._expect(words.FROM_FILL)
        elif upper == "USING":
            if self.operation in ("MERGE", "DELETE"):
                self.listing = True
                self._expect(words.FROM_FILL)
        elif upper == "INTO":
            if self.operation in ("SELECT", "INSERT", "MERGE"):
                self._expect(words.INSERT_FILL)
        elif upper in words.COMBINING:
            self.combining = True
            self.listing = False
        elif upper in words.END_OF_LIST:
            self.listing = self.expecting = False


def _pattern() -> re.Pattern[str]:
    if not _compiled:
        import re  # deferred: compiled when the first query comes

        _compiled.append(re.compile(_TOKENS))
    return _compiled[0]
