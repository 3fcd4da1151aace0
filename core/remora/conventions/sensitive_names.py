"""Which names (query parameters, fields, settings) carry secrets: the convention's list, ours, and the user's."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

KEEP = 0
REDACT = 1
REDACT_LONG = 2  # a short value under such a name is harmless, a long one is a credential

LONG_CHARS = 16

# The convention's own list, matched as written.
_CONVENTION = frozenset(
    {
        "X-Amz-Signature",
        "X-Amz-Credential",
        "X-Amz-Security-Token",
        "AWSAccessKeyId",
        "Signature",
        "sig",
        "X-Goog-Signature",
    }
)

# Ours, matched in lower case and without "-", "_", ".", so that apiKey, api_key and API-KEY are one name.
_OURS = frozenset(
    {
        "accesskey",
        "accesskeyid",
        "apikey",
        "assertion",
        "auth",
        "authcode",
        "authkey",
        "authorization",
        "bearer",
        "clientassertion",
        "codeverifier",
        "cookie",
        "credential",
        "credentials",
        "jsessionid",
        "jwt",
        "oauthverifier",
        "otp",
        "pass",
        "passcode",
        "passphrase",
        "passwd",
        "password",
        "phpsessid",
        "privatekey",
        "proxyauthorization",
        "pwd",
        "samlresponse",
        "secret",
        "secretkey",
        "session",
        "sessionid",
        "sessionkey",
        "setcookie",
        "sid",
        "ticket",
        "token",
    }
)
_ENDINGS = (
    "accesskey",
    "apikey",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "pwd",
    "secret",
    "secretkey",
    "token",
)
_HARMLESS = frozenset({"continuationtoken", "nextpagetoken", "nexttoken", "pagetoken", "synctoken"})  # these turn pages
_SECRET_WHEN_LONG = frozenset({"code", "key"})  # OAuth and Azure function codes, Google's API key

_MAX_NAME_CHARS = 128
_MAX_VERDICTS = 1024

_configured: frozenset[str] = frozenset()
verdicts: dict[str, int] = {}  # what was judged already; for ``verdict`` and its one hot reader


def configure(names: Iterable[str]) -> None:
    """Adds the user's names to the built-in ones; called once, at boot."""
    global _configured
    _configured = frozenset(_squeezed(name) for name in names if name.strip())
    verdicts.clear()


def verdict(name: str) -> int:
    """KEEP, REDACT or REDACT_LONG for the value under ``name``; ``user[password]`` and ``%70assword`` count too."""
    known = verdicts.get(name)
    if known is None:
        known = _judge(name)
        if len(name) <= _MAX_NAME_CHARS:
            if len(verdicts) >= _MAX_VERDICTS:
                verdicts.clear()
            verdicts[name] = known
    return known


def hides(name: str, value: str) -> bool:
    """Whether ``value`` under ``name`` must not be seen."""
    found = verdict(name)
    return found == REDACT or (found == REDACT_LONG and len(value) >= LONG_CHARS)


def percent_decoded(text: str) -> str:
    """The text with its %XX read, as Latin-1: enough to recognise names, which are ASCII."""
    head, *rest = text.split("%")
    parts = [head]
    for piece in rest:
        try:
            parts.append(chr(int(piece[:2], 16)) + piece[2:] if len(piece) > 1 else "%" + piece)
        except ValueError:
            parts.append("%" + piece)
    return "".join(parts)


def _judge(name: str) -> int:
    name = name[-_MAX_NAME_CHARS:].strip()
    if "%" in name:
        name = percent_decoded(percent_decoded(name))
    if name in _CONVENTION:
        return REDACT
    name = name.rstrip("]")
    name = name[name.rfind("[") + 1 :] or name.rstrip("[")
    squeezed = _squeezed(name)
    if squeezed in _configured or squeezed in _OURS:
        return REDACT
    if squeezed.endswith(_ENDINGS) and squeezed not in _HARMLESS:
        return REDACT
    return REDACT_LONG if squeezed in _SECRET_WHEN_LONG else KEEP


def _squeezed(name: str) -> str:
    return name.strip().lower().replace("_", "").replace("-", "").replace(".", "")
