"""Takes absolute URLs apart, fast and forgiving, and makes url.full of them without credentials and secrets.

Compiled when it can be; the same source either way.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from remora import _cython as cython  # type: ignore[no-redef]

from remora.conventions import redaction_cy as redaction
from remora.conventions.sensitive_names import hides, percent_decoded

if not cython.compiled:
    from remora.conventions.redaction_cy import url_query
    from remora.conventions.values_cy import exact_int, exact_text
else:
    from cython.cimports.remora.conventions.redaction_cy import url_query
    from cython.cimports.remora.conventions.values_cy import exact_int, exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COMPILED = cython.compiled
MAX_URL_CHARS = 8192

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}

# Services that take a credential as part of the path: (what stands before it, how many segments of it stay).
_CREDENTIAL_PATHS = {
    "hooks.slack.com": ("/", 1),
    "api.telegram.org": ("/bot", 0),
    "discord.com": ("/api/webhooks/", 1),
    "discordapp.com": ("/api/webhooks/", 1),
}

_MAX_ORIGINS = 512
_MAX_ORIGIN_CHARS = 512


@cython.final
@cython.cclass
class Origin:
    """What stands before the path: ``text`` is it with credentials REDACTED, ``address`` has no brackets."""

    if not cython.compiled:
        __slots__ = ("address", "credential_path", "port", "scheme", "text")

    def __init__(self, scheme: str | None, address: str | None, port: Any, text: str) -> None:
        self.scheme = scheme
        self.address = address
        self.port = port
        self.text = text
        self.credential_path = address is not None and address.lower() in _CREDENTIAL_PATHS


_origins: dict[str, Origin] = {}
_absolutes: dict[tuple[object, object, object], str] = {}


def split(url: Any) -> tuple[Origin, str]:
    """The origin of a URL (str, bytes or an object that prints as one) and what follows it: path, query, fragment."""
    text = url if type(url) is str else exact_text(url) or ""
    if len(text) > MAX_URL_CHARS:
        text = text[:MAX_URL_CHARS]
    mark = text.find("://")
    end = text.find("/", mark + 3) if mark > 0 else -1
    head = text[:end] if end > 0 else text
    origin = _origins.get(head)
    if origin is None:
        return _split_slowly(text, mark)
    return origin, text[len(head) :]


def full(origin: Origin, rest: str) -> str:
    """The url.full attribute: nothing in it gives access to anything."""
    if origin.credential_path:
        rest = _without_path_credential(origin, rest)
    at: cython.Py_ssize_t = 0
    odd: cython.bint = False
    char: cython.Py_UCS4
    for char in rest:
        if char == "?" or char == "#":
            break
        if char == ";" or char == "@" or char == "%":  # "%40" is an "@", too
            odd = True
        at += 1
    if not odd:
        if at == len(rest):
            return origin.text + rest
        if rest[at] == "?" and "#" not in rest:
            at += 1
            return origin.text + rest[:at] + url_query(rest[at:])
    rest, hash_mark, fragment = rest.partition("#")
    path, question_mark, query = rest.partition("?")
    if query:
        query = url_query(query)
    if "=" in fragment:
        fragment = url_query(fragment)
    return origin.text + without_path_secrets(path) + question_mark + query + hash_mark + fragment


def without_path_secrets(path: str) -> str:
    """A path in which ``;jsessionid=...`` and the credentials of a URL within are REDACTED."""
    path = redaction.userinfo(path)
    if ";" not in path or "=" not in path:
        return path
    pieces = path.split(";")
    for index in range(1, len(pieces)):
        parameter, slash, rest = pieces[index].partition("/")
        name, _, value = parameter.partition("=")
        if value and hides(name, value):
            pieces[index] = name + "=" + redaction.REDACTED + slash + rest
    return ";".join(pieces)


def absolute(scheme: Any, host: Any, port: Any, target: Any) -> str:
    """The absolute URL of a request that a library knows in parts; the default port is left out, IPv6 is bracketed."""
    path = exact_text(target) or "/"
    if not path.startswith("/"):
        if "://" in path[:32]:
            return path  # a request through a proxy names the whole URL
        path = "/" if path == "*" else "/" + path
    key = (scheme, host, port)
    try:
        origin = _absolutes.get(key)
    except TypeError:
        origin = None
    if origin is None:
        origin = _joined(exact_text(scheme) or "http", exact_text(host) or "", exact_int(port))
        if len(_absolutes) >= _MAX_ORIGINS:
            _absolutes.clear()
        if len(origin) <= _MAX_ORIGIN_CHARS:
            _absolutes[exact_text(scheme), exact_text(host), exact_int(port)] = origin
    return origin + path


def host_and_port(authority: str) -> tuple[str | None, int | None]:
    """``host:port``, ``[::1]:port``, a bare IPv6 address or a host alone; the brackets go. No userinfo."""
    if authority.startswith("["):
        address, _, rest = authority[1:].partition("]")
        return address or None, _port(rest[1:]) if rest.startswith(":") else None
    if authority.count(":") > 1:
        return authority, None
    address, _, port = authority.partition(":")
    return address or None, _port(port)


def _joined(scheme: str, host: str, port: Any) -> str:
    scheme = scheme.lower()
    host = host.rpartition("@")[2]  # some libraries take credentials for a part of the host's name
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return f"{scheme}://{host}" if port is None or port == DEFAULT_PORTS.get(scheme) else f"{scheme}://{host}:{port}"


def _port(text: str) -> int | None:
    port = exact_int(text) if text else None
    return port if port is not None and port <= 65535 else None


def _split_slowly(text: str, mark: int) -> tuple[Origin, str]:
    scheme: str | None = None
    start = 0
    if mark >= 0 and not any(delimiter in text[:mark] for delimiter in "/?#"):
        scheme = text[:mark].lower() if _is_scheme(text[:mark]) else None
        start = mark + 3
    elif text.startswith("//"):
        start = 2
    end = len(text)
    for delimiter in "/?#":
        found = text.find(delimiter, start)
        if 0 <= found < end:
            end = found
    if start and "@" not in text[start:end] and ":" in text[start:end]:
        end = _past_broken_password(text, start, end)
    authority = text[start:end]
    _, at, host = authority.rpartition("@")
    shown = f"{text[:start]}{redaction.REDACTED}:{redaction.REDACTED}@{host}" if at else text[:end]
    address, port = host_and_port(host)
    if scheme is not None and "unix" in scheme and address is not None:
        address = percent_decoded(address)  # http+unix://%2Frun%2Fdocker.sock/path
    elif port is None and address is not None:
        port = DEFAULT_PORTS.get(scheme or "http")
    origin = Origin(scheme, address, port, shown)
    rest = text[end:]
    if not at and start > 2 and end - start < _MAX_ORIGIN_CHARS and rest[:1] in ("", "/"):
        if len(_origins) >= _MAX_ORIGINS:
            _origins.clear()
        _origins[text[:end]] = origin
    return origin, rest


def _past_broken_password(text: str, start: int, end: int) -> int:
    """A password with an unescaped "/", "?" or "#" looks like a port that is no number; it ends at the "@"."""
    port = text[start:end].rpartition(":")[2]
    if port.isdigit() or text.startswith("[", start):
        return end
    at = text.find("@", end)
    if at < 0:
        return end
    ends = [found for delimiter in "/?#" if (found := text.find(delimiter, at)) >= 0]
    return min(ends, default=len(text))


def _is_scheme(text: str) -> bool:
    return len(text) <= 32 and text[:1].isalpha() and text.replace("+", "").replace("-", "").replace(".", "").isalnum()


def _without_path_credential(origin: Origin, rest: str) -> str:
    prefix, kept = _CREDENTIAL_PATHS[(origin.address or "").lower()]
    if not rest.startswith(prefix):
        return rest
    end = min((found for delimiter in "?#" if (found := rest.find(delimiter)) >= 0), default=len(rest))
    segments = rest[len(prefix) : end].split("/")
    if len(segments) <= kept:
        return rest
    segments[kept] = redaction.REDACTED
    if prefix != "/bot":  # a bot's method follows its token; of a webhook all that follows is the secret
        del segments[kept + 1 :]
    return prefix + "/".join(segments) + rest[end:]
