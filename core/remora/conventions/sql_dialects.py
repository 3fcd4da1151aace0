"""How the databases write literals: where they differ, a wrong guess would let a value through."""

from __future__ import annotations

from remora.conventions.recent_cy import Recent

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

_MAX_STATEMENTS = 512  # in each of two generations
_MAX_STATEMENT_CHARS = 1 << 20

_STANDARD_STRING = r"(?:[^']+|'')*'?"
_BACKSLASH_STRING = r"(?:[^'\\]+|\\.|'')*'?"


class Dialect:
    """What one family of databases counts as a string, an identifier, a comment."""

    __slots__ = (
        "_compiled",
        "_flags",
        "bare_uuids",
        "doubtful_quotes",
        "doubtful_strings",
        "identifiers",
        "statements",
    )

    def __init__(
        self,
        *,
        backslash: bool = False,
        quotes_are_strings: bool = False,
        doubtful_quotes: bool = False,
        escape_strings: bool = False,
        backticks: bool = False,
        brackets: bool = False,
        hash_comments: bool = False,
        comment_needs_blank: bool = False,
        q_strings: bool = False,
        triple_quotes: bool = False,
        numbered_colons: bool = False,
        numbered_marks: bool = False,
        money: bool = False,
        bare_uuids: bool = False,
    ) -> None:
        """``backslash``: it keeps a quote from ending the string; ``quotes_are_strings``: "x" is one;
        ``doubtful_quotes``: it may be one; ``escape_strings``: E'..' has backslashes; ``q_strings``: Oracle's q'[..]';
        ``numbered_colons``, ``numbered_marks``: :1 and ?1 are parameters; ``money``: $1 is none."""
        self._flags = {
            "backslash": backslash,
            "strings": quotes_are_strings,
            "escapes": escape_strings,
            "backticks": backticks,
            "brackets": brackets,
            "hash": hash_comments,
            "blank": comment_needs_blank,
            "q": q_strings,
            "triple": triple_quotes,
            "colons": numbered_colons,
            "marks": numbered_marks,
            "money": money,
        }
        self._compiled: re.Pattern[str] | None = None
        self.doubtful_strings = not backslash  # a \' in a string: the server may be set up to read it either way
        self.doubtful_quotes = doubtful_quotes
        self.bare_uuids = bare_uuids
        self.identifiers = ("" if quotes_are_strings else '"') + ("`" if backticks else "") + ("[" if brackets else "")
        self.statements = Recent(_MAX_STATEMENTS, _MAX_STATEMENT_CHARS)

    @property
    def pattern(self) -> re.Pattern[str]:
        """Matches every literal, comment and quoted identifier, beginning with its first character."""
        if self._compiled is None:
            self._compiled = self._compile()
        return self._compiled

    def _compile(self) -> re.Pattern[str]:
        import re  # deferred: compiled when the first query of the dialect comes

        flags = self._flags
        # The first item is a plain character set: the regex engine skips to the next candidate at full speed.
        first = "['\"0-9$/\\-"
        string = _BACKSLASH_STRING if flags["backslash"] else _STANDARD_STRING
        if flags["escapes"]:
            string = rf"(?:(?<=[eE]')(?<![\w$][eE]'){_BACKSLASH_STRING}|{string})"
        if flags["q"]:
            string = rf"(?:(?<=[qQ]')(?<![\w$][qQ]')(?<![\w$][nN][qQ]'){_q_string()}|{string})"
        quoted = _double_quoted("\\" if flags["strings"] and flags["backslash"] else "")
        if flags["triple"]:
            string = rf"(?:''(?:[^'\\]+|\\.|'(?!''))*(?:''')?|{string})"
            quoted = rf'(?:""(?:[^"\\]+|\\.|"(?!""))*(?:""")?|{quoted})'
        before_digit = r"\w@#" + ("" if flags["money"] else "$")
        before_digit += (":" if flags["colons"] else "") + ("?" if flags["marks"] else "")
        kinds = [
            rf"(?<=')(?P<string>{string})",
            rf'(?<="){quoted}',
            rf"(?<=[0-9])(?<![{before_digit}][0-9])[\w.]*(?:(?<=[eE])[+-][0-9]+)?",
            r"(?<=-)-(?=\s|\Z)[^\n]*" if flags["blank"] else r"(?<=-)-[^\n]*",
            r"(?<=/)\*(?:[^*]+|\*(?!/))*(?:\*/)?",
            r"(?<=\$)(?<![\w$]\$)(?P<tag>[^\W\d]\w*|)\$.*?(?:\$(?P=tag)\$|\Z)",
        ]
        if flags["backticks"]:
            first += "`"
            kinds.append(r"(?<=`)(?:[^`]+|``)*`?")
        if flags["brackets"]:
            first += r"\["
            kinds.append(r"(?<=\[)(?:[^\]]+|\]\])*\]?")
        if flags["hash"]:
            first += "#"
            kinds.append(r"(?<=\#)[^\n]*")
        return re.compile(f"{first}](?:{'|'.join(kinds)})", re.DOTALL)


def _double_quoted(backslash: str) -> str:
    return r'(?:[^"\\]+|\\.|"")*"?' if backslash else r'(?:[^"]+|"")*"?'


def _q_string() -> str:
    return r"(?:\[.*?(?:\]'|\Z)|\{.*?(?:\}'|\Z)|\(.*?(?:\)'|\Z)|<.*?(?:>'|\Z)|(?P<mark>.).*?(?:(?P=mark)'|\Z)|\Z)"


UNKNOWN = Dialect(escape_strings=True, doubtful_quotes=True)
_POSTGRESQL = Dialect(escape_strings=True)
_MYSQL = Dialect(backslash=True, quotes_are_strings=True, backticks=True, hash_comments=True, comment_needs_blank=True)
_SQLITE = Dialect(doubtful_quotes=True, backticks=True, brackets=True, numbered_marks=True)
_SQL_SERVER = Dialect(brackets=True, money=True)
_ORACLE = Dialect(q_strings=True, numbered_colons=True)
_BACKSLASHES = Dialect(backslash=True, backticks=True)
_STRINGS_ONLY = Dialect(backslash=True, quotes_are_strings=True, backticks=True, hash_comments=True, triple_quotes=True)
_CASSANDRA = Dialect(bare_uuids=True)
_QUOTES_ARE_STRINGS = Dialect(quotes_are_strings=True)

_BY_SYSTEM = {
    "postgresql": _POSTGRESQL,
    "cockroachdb": _POSTGRESQL,
    "duckdb": _POSTGRESQL,
    "trino": _POSTGRESQL,
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "tidb": _MYSQL,
    "sqlite": _SQLITE,
    "microsoft.sql_server": _SQL_SERVER,
    "oracle.db": _ORACLE,
    "clickhouse": _BACKSLASHES,
    "snowflake": _BACKSLASHES,
    "databricks": _STRINGS_ONLY,
    "hive": _STRINGS_ONLY,
    "spark": _STRINGS_ONLY,
    "gcp.spanner": _STRINGS_ONLY,
    "gcp.bigquery": _STRINGS_ONLY,
    "bigquery": _STRINGS_ONLY,
    "cassandra": _CASSANDRA,
    "ibm.informix": _QUOTES_ARE_STRINGS,
}

# Systems whose statements are no SQL: their text is not for the SQL sanitiser.
_WITHOUT_SQL = frozenset(
    {
        "aws.dynamodb",
        "couchbase",
        "couchdb",
        "elasticsearch",
        "geode",
        "hbase",
        "memcached",
        "mongodb",
        "neo4j",
        "opensearch",
        "redis",
        "valkey",
    }
)


def of(system: str) -> Dialect | None:
    """The dialect of a ``db.system.name``; None for a system that does not speak SQL."""
    found = _BY_SYSTEM.get(system)
    if found is None and system not in _WITHOUT_SQL:
        return UNKNOWN
    return found
