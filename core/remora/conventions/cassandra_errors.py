"""Cassandra numbers its errors; the driver makes classes of them, whose messages quote the query and its values."""

from __future__ import annotations

from remora.conventions import redaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Final

_CODES: Final = {  # of what the driver tells by exceptions without the code
    "AlreadyExists": 0x2400,
    "CDCWriteFailure": 0x1600,
    "FunctionFailure": 0x1400,
    "InvalidRequest": 0x2200,
    "ReadFailure": 0x1300,
    "ReadTimeout": 0x1200,
    "Unauthorized": 0x2100,
    "Unavailable": 0x1000,
    "WriteFailure": 0x1500,
    "WriteTimeout": 0x1100,
}
# What stands in an error of the server's, which may hold quotes: it ends with the text or with the exception's section
# of a stack trace. Those of timeouts and of replicas that are missing or fail have nothing of the query in them.
_MESSAGE = (
    r'(code=(?!1[012356]00)[0-9A-Fa-f]{1,8} \[[^\]\n]{1,64}\] message=")(.*?)'
    r'(?:("[\s>})\]]{0,8})(?=\Z|\n\s*During handling|\n\s*The above exception)|\Z)'
)
# Words of Cassandra's about things that have names; they are as good as the query's summary.
_OF_NAMES = (
    r"(?:unconfigured table \w{1,128}|Undefined (?:column )?name \w{1,128} in (?:table|selection clause) ?[\w.]{0,128}"
    r"|[Kk]eyspace '?\w{1,128}'? does not exist|[Tt]able '?[\w.]{1,128}'? does not exist"
    r"|No keyspace has been specified\. USE a keyspace, or explicitly specify keyspace\.tablename)"
)
_compiled: dict[str, re.Pattern[str]] = {}


def status_code(exception: BaseException) -> str | None:
    """The code as the protocol's specification writes it (0x2200); None for what the server did not say."""
    code = getattr(exception, "error_code", None)
    if type(code) is not int:
        names = [kind.__name__ for kind in type(exception).__mro__]
        code = next((_CODES[name] for name in names if name in _CODES), None)
    return f"0x{code:04X}" if code is not None else None


def redacted(message: object, limit: int = redaction.MAX_TEXT_CHARS) -> str:
    """A message or stack trace in which what the server says of a query is REDACTED, but for names of tables."""
    return redaction.text(_without_messages(str(message)), limit)


def _without_messages(text: str) -> str:
    if 'message="' not in text:
        return text

    def shown(found: re.Match[str]) -> str:
        before, said, after = found.groups()
        return f"{before}{said if _pattern(_OF_NAMES).fullmatch(said) else redaction.REDACTED}{after or ''}"

    return _pattern(_MESSAGE).sub(shown, text)


def _pattern(source: str) -> re.Pattern[str]:
    compiled = _compiled.get(source)
    if compiled is None:
        import re  # deferred: most programs never fail, and then nothing here needs it

        compiled = _compiled[source] = re.compile(source, re.DOTALL)
    return compiled
