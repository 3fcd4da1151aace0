"""Finds secrets in free text by what stands before them (password=, Bearer) or by their own shape (JWT, cloud keys).

Patterns are compiled when the first message needs them; a plain containment test decides whether one runs at all.
"""

from __future__ import annotations

from remora.conventions.sensitive_names import hides, percent_decoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

_NAME_HINTS = (
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "credential",
    "authorization",
    "cookie",
    "session",
    "jwt",
)
_TOKEN_HINTS = ("eyJ", "AKIA", "ASIA", "AIza", "gh", "github_", "glpat-", "xox", "sk-", "sk_", "rk_", "PRIVATE KEY")

# The value after a telling name: in quotes up to the closing quote, in brackets up to the bracket, else one word. An
# opening quote or bracket without its end takes the rest of the line. The opening quote is a group, to be kept.
_VALUE = r"""(?:
      ([bBuUrR]?\\{1,3}["'])(?:[^"'\\\n]|["'](?=\w))*
    | ([bBuUrR]?")(?:[^"\\\n]|\\.|"(?=\w))*
    | ([bBuUrR]?')(?:[^'\\\n]|\\.|'(?=\w))*
    | \{[^}\n]*
    | \[[^\]\n]*
    | \([^)\n]*
    | [^\s,;&"'<>)\]}]+(?:(?<=[=:])\s{0,8}(?:"[^"\n]*|'[^'\n]*|[^\s,;&"'<>)\]}]+))*
)"""

_SOURCES = {
    # The password may hold anything up to the last "@" before the path, and some hold a "/" or "#" unescaped.
    "userinfo": r"""(//)[^\s/?\#@:"'<>]{0,256}(?::(?!\d{1,5}[/?\#])[^\s@"'<>]{0,256})?@
        (?:[^\s/?\#@"'<>]{0,256}@){0,4}""",
    # The same in a URL that is percent-encoded, wholly or in part, as a parameter or a segment of another one.
    "encoded_userinfo": r"""(?: ((?:%(?:25){0,2}2F){2}) (?:(?!%(?:25){0,2}(?:2F|3F|23))[^\s/?\#&="'<>@]){1,256}?
        (?=%(?:25){0,2}40|@) | (//) (?:(?!%(?:25){0,2}(?:2F|3F|23))[^\s/?\#&="'<>@]){1,256}? (?=%(?:25){0,2}40))""",
    "query": r"""([?&;\#])([^=&?;\#\s]{1,64})=([^&\s"'<>;]+)""",
    "named": r"""
        ((?:passw(?:or)?d|(?<![a-z])pass|passphrase|passcode|pwd|secret|token|credentials?|jwt|aws[-_]?secret
           |(?:api|private|secret|account|session|shared[-_ ]?access|access)[-_ ]?key(?:[-_ ]?id)?|session[-_ ]?id)
         \\{0,3}["']?\]?\s{0,8}(?:=>|:=|[:=])\s{0,8})
        (?!\s|(?:yes|no|none|null|true|false)\b)"""
    + _VALUE,
    # ODBC and ADO values may hold blanks: they end at the semicolon only.
    "dsn": r"""((?:^|;)\s{0,8}(?:password|pwd)\s{0,8}=\s{0,8})(?:\{[^}\n]*\}?|[^;\n"'{][^;\n"']{0,255})(?=;)""",
    "tuple": r"""(\([bBuU]?["'](?:[\w.-]{0,64}(?:password|passwd|secret|token|key)
        |(?:proxy-)?authorization|(?:set-)?cookie)["'],\s{0,4}[bBuU]?["'])[^"'\n]+""",
    "argument": r"""((?:(?<=[\s"'\[(,])|\A)--?[\w-]{0,64}(?:password|passwd|pwd|secret|token|api-?key)
        ["']?,?[ \t]{1,8}["']?)(?!-)[^\s"',]+""",
    "header": r"""((?:proxy-)?authorization\\{0,3}["']?\s{0,8}[:=]\s{0,8}(?:[bB](?=["']))?\\{0,3}["']?)[^"'\n]+""",
    "cookie": r"""((?:set-)?cookie\\{0,3}["']?\s{0,8}[:=]\s{0,8}(?:[bB](?=["']))?\\{0,3}["']?)[^"'\n]+""",
    "scheme": r"""(\b(?:bearer|basic|negotiate|apikey)\s{1,8})(?=[a-z]{0,64}(?:[^a-z\s,;:"'().]|\.\w))
                 [\w.~+/-]{6,}=*""",
    "shape": r"""
        \beyJ[\w-]{4,}\.[\w-]{2,}(?:\.[\w-]*){0,3}
        | \b(?:AKIA|ASIA)[A-Z0-9]{12,}
        | \bAIza[\w-]{20,}
        | \b(?:gh[pousr]_|github_pat_|glpat-)\w{16,}
        | \bxox[a-z]-[\w-]{8,}
        | \b[sr]k[-_](?:live_|test_|proj-|ant-)?[\w-]{16,}
        | -----BEGIN\ [A-Z ]{0,32}PRIVATE\ KEY-----(?:[^-]+|-(?!----END))*
          (?:-----END\ [A-Z ]{0,32}PRIVATE\ KEY-----)?""",
}
_MAX_ENCODINGS = 3
_CASE_MATTERS = {"shape"}
_compiled: dict[str, re.Pattern[str]] = {}


def without_userinfo(text: str) -> str:
    """``scheme://user:password@host`` becomes ``scheme://REDACTED:REDACTED@host``."""
    if "@" in text and "//" in text:
        text = _pattern("userinfo").sub(r"\1REDACTED:REDACTED@", text)
    if "%" in text and ("@" in text or "40" in text):
        text = _pattern("encoded_userinfo").sub(r"\1\2REDACTED", text)
    return text


def without_secrets(text: str, *, nested: bool = False) -> str:
    """The text with every secret that can be recognised replaced by REDACTED.

    ``nested``: it is the decoded value of a parameter already, whose own parameters are not decoded once more.
    """
    text = without_userinfo(text)
    lowered = text.lower()
    if "=" in text and ("?" in text or "&" in text or "#" in text or ";" in text):
        text = _pattern("query").sub(_redacted_plain_parameter if nested else _redacted_parameter, text)
    if any(hint in lowered for hint in _NAME_HINTS):
        if "authorization" in lowered:
            text = _pattern("header").sub(r"\1REDACTED", text)
        if "cookie" in lowered:
            text = _pattern("cookie").sub(r"\1REDACTED", text)
        if ";" in text:
            text = _pattern("dsn").sub(r"\1REDACTED", text)
        if "-" in text:
            text = _pattern("argument").sub(r"\1REDACTED", text)
        if "(" in text:
            text = _pattern("tuple").sub(r"\1REDACTED", text)
        if "=" in text or ":" in text:
            text = _pattern("named").sub(r"\1\2\3\4REDACTED", text)
    if "bearer" in lowered or "basic" in lowered or "negotiate" in lowered or "apikey" in lowered:
        text = _pattern("scheme").sub(r"\1REDACTED", text)
    if any(hint in text for hint in _TOKEN_HINTS):
        text = _pattern("shape").sub("REDACTED", text)
    return text


def _pattern(name: str) -> re.Pattern[str]:
    compiled = _compiled.get(name)
    if compiled is None:
        import re  # deferred: most programs never fail, and then nothing here needs it

        flags = re.VERBOSE | re.DOTALL if name in _CASE_MATTERS else re.VERBOSE | re.DOTALL | re.IGNORECASE
        compiled = _compiled[name] = re.compile(_SOURCES[name], flags)
    return compiled


def _redacted_plain_parameter(found: re.Match[str]) -> str:
    before, name, value = found.groups()
    return f"{before}{name}=REDACTED" if hides(name, value) else found.group()


def _redacted_parameter(found: re.Match[str]) -> str:
    before, name, value = found.groups()
    return f"{before}{name}=REDACTED" if hides(name, value) or _nests_secret(value) else found.group()


def _nests_secret(value: str) -> bool:
    """Whether a percent-encoded URL, JSON or the like in a parameter holds a secret; only ":" and "=" introduce one."""
    if "%3" not in value and "%25" not in value:
        return False
    for _ in range(_MAX_ENCODINGS):
        if "%" not in value:
            break
        value = percent_decoded(value)
        if without_secrets(value, nested=True) != value:
            return True
    return False
