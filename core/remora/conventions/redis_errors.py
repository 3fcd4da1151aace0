"""Redis begins its errors with a code; clients take it off and make a class of it, and put commands into messages."""

from __future__ import annotations

from remora.conventions import redaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_CODES: Final = {  # of clients that keep the code only as the exception's class
    "AskError": "ASK",
    "BusyLoadingError": "LOADING",
    "ClusterCrossSlotError": "CROSSSLOT",
    "ClusterDownError": "CLUSTERDOWN",
    "ExecAbortError": "EXECABORT",
    "MasterDownError": "MASTERDOWN",
    "ModuleError": "ERR",
    "MovedError": "MOVED",
    "NoPermissionError": "NOPERM",
    "NoScriptError": "NOSCRIPT",
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
    "TryAgainError": "TRYAGAIN",
}
_MAX_CODE_CHARS = 32
_COMMAND = "Command # "
_CAUSED = " of pipeline caused error: "
_SCRIPT = " script: "
_PLACE = "@user_"


def status_code(exception: BaseException) -> str | None:
    """The code of an error that the server answered (WRONGTYPE, NOAUTH, ERR); None if it answered none."""
    code = getattr(exception, "status_code", None)
    if isinstance(code, str) and code:
        return code[:_MAX_CODE_CHARS]
    names = [kind.__name__ for kind in type(exception).__mro__]
    for name in names:
        if name in _CODES:
            return _CODES[name]
    message = str(exception).rpartition(_CAUSED)[2]
    first = message.partition(" ")[0]
    if "AuthenticationError" in names:
        return "WRONGPASS" if "invalid username" in message else "NOAUTH" if "required" in message else "ERR"
    if "ResponseError" not in names:
        return None
    return first if first.isalpha() and first.isupper() and len(first) <= _MAX_CODE_CHARS else "ERR"


def redacted(message: object, limit: int = redaction.MAX_TEXT_CHARS) -> str:
    """A message or stack trace without the commands that redis-py quotes in full and what scripts say."""
    text = redaction.database_text(message, limit)
    if _PLACE in text:
        text = "\n".join(map(_without_words_of_scripts, text.split("\n")))
    if _COMMAND not in text:
        return text
    pieces: list[str] = []
    position = 0
    while (start := text.find(_COMMAND, position)) >= 0:
        opening = text.find("(", start)
        # Whatever the command holds, even such words: it ends before the last of them.
        closing = text.rfind(_CAUSED, start)
        if opening < 0:
            break
        if closing < opening:  # cut off in the middle of the command
            pieces.append(text[position : opening + 1])
            position = len(text)
            break
        pieces += (text[position : opening + 1], redaction.REDACTED, ")")
        position = closing
    pieces.append(text[position:])
    return "".join(pieces)


def _without_words_of_scripts(line: str) -> str:
    """``words script: <digest>, on @user_script:1.``: the words are the script's own; where it failed stays."""
    end = line.rfind(_SCRIPT)
    if end < 0 or _PLACE not in line[end:]:
        return line
    kind, colon, _ = line[:end].partition(": ")
    kept = kind + colon if colon and kind.endswith("Error") and " " not in kind else ""
    return f"{kept}{redaction.REDACTED}{line[end:]}"
