"""Headers that the user wants on spans, by name or regular expression; secrets stay out even of those."""

from __future__ import annotations

from remora.conventions import redaction, sensitive_names
from remora.conventions.header_pairs import pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_MAX_HEADERS = 64
_MAX_VALUE_CHARS = 2048
_MAX_NAMES = 1024

# What names of headers that carry credentials end with, beyond those of parameters; without "-" and "_".
_ENDINGS = (
    "assertion",
    "auth",
    "authorization",
    "authenticationinfo",
    "clientcert",
    "cookie",
    "cookie2",
    "credential",
    "credentials",
    "jwt",
    "key",
    "oidcdata",
    "session",
    "sessionid",
    "signature",
)
_HARMLESS = frozenset({"idempotencykey", "secwebsocketkey", "surrogatekey"})


class Captured:
    """One direction's headers: which to put on the span, and under which attribute.

    ``expressions`` must match a header's name in full, ``sanitized`` (values become REDACTED) anywhere in it, both in
    any case.
    """

    def __init__(self, attribute: str, expressions: Iterable[str], sanitized: Iterable[str]) -> None:
        import re  # deferred: only where somebody captures headers

        self._attribute = attribute
        self._wanted = re.compile("|".join(f"(?:{item})" for item in expressions), re.IGNORECASE)
        hidden = "|".join(f"(?:{item})" for item in sanitized)
        self._hidden = re.compile(hidden, re.IGNORECASE) if hidden else None
        self._judged: dict[str, tuple[str | None, bool]] = {}

    def put(self, attributes: dict[str, Any], headers: Any) -> None:
        """Sets the attributes of those headers that are wanted, each a tuple of texts."""
        found: dict[str, list[str]] = {}
        for name, value in pairs(headers):
            key, secret = self._judged.get(name) or self._judge(name)
            if key is not None and (key in found or len(found) < _MAX_HEADERS):
                found.setdefault(key, []).append(redaction.REDACTED if secret else shown(value))
        for key, values in found.items():
            attributes[key] = tuple(values)

    def _judge(self, name: str) -> tuple[str | None, bool]:
        key = f"{self._attribute}.{name}" if self._wanted.fullmatch(name) else None
        verdict = key, _is_secret(name) or (self._hidden is not None and self._hidden.search(name) is not None)
        if len(self._judged) >= _MAX_NAMES:
            self._judged.clear()
        self._judged[name] = verdict
        return verdict


def shown(value: str) -> str:
    """A header's value as it may be seen: of a URL in it (Location, Referer) the secrets go."""
    text = redaction.text(value[:_MAX_VALUE_CHARS])
    head, mark, query = text.partition("?")
    return head + mark + redaction.url_query(query) if query else text


def _is_secret(name: str) -> bool:
    if sensitive_names.verdict(name) != sensitive_names.KEEP:
        return True
    squeezed = name.replace("-", "").replace("_", "")
    return squeezed.endswith(_ENDINGS) and squeezed not in _HARMLESS
