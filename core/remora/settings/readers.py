"""From the text of a variable to its value; a reader that cannot raises ValueError with what would be accepted."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# The specification's "0 = no limit" for timeouts, finite because sockets and polls refuse infinity.
NO_TIMEOUT_S = 86_400.0

_LEVELS = {
    "trace": "debug",
    "verbose": "debug",
    "all": "debug",
    "notset": "debug",
    "debug": "debug",
    "info": "info",
    "warn": "warning",
    "warning": "warning",
    "error": "error",
    "critical": "error",
    "fatal": "error",
    "none": "none",
    "off": "none",
}


def text(raw: str) -> str | None:
    return raw or None


def flag(raw: str) -> bool:
    lowered = raw.lower()
    if lowered not in ("true", "false", ""):
        raise ValueError("true or false")
    return lowered == "true"


def switch(raw: str) -> bool:
    """As ``flag``, and generous: somebody who wants an agent out of the way writes 0 and must not be lectured."""
    if raw.lower() in ("true", "1", "yes", "on"):
        return True
    if raw.lower() in ("false", "0", "no", "off"):
        return False
    raise ValueError("true or false")


def count(minimum: int) -> Callable[[str], int]:
    def read(raw: str) -> int:
        number = _whole(raw)
        if number is None or number < minimum:
            raise ValueError(f"a whole number from {minimum}")
        return number

    return read


def limit(raw: str) -> int | None:
    """A maximum; None is no limit, written as an empty value or, as in the SDK for Python, ``unset``."""
    if raw.lower() in ("", "unset"):
        return None
    number = _whole(raw)
    if number is None or number < 0:
        raise ValueError("a whole number from 0, or unset for no limit")
    return number


def duration_s(raw: str) -> float:
    milliseconds = _whole(raw)
    if milliseconds is None or milliseconds < 0:
        raise ValueError("milliseconds, a whole number from 0")
    return milliseconds / 1000


def interval_s(raw: str) -> float:
    milliseconds = _whole(raw)
    if milliseconds is None or milliseconds < 1:
        raise ValueError("milliseconds, a whole number from 1")
    return milliseconds / 1000


def timeout_s(raw: str) -> float:
    return duration_s(raw) or NO_TIMEOUT_S


def names(raw: str) -> tuple[str, ...]:
    """A comma-separated list; order kept, repetitions and empty items dropped."""
    return tuple(dict.fromkeys(item.strip() for item in raw.split(",") if item.strip()))


def expressions(raw: str) -> tuple[str, ...]:
    """A comma-separated list of regular expressions."""
    chosen = names(raw)
    if chosen:
        import re  # deferred: a light boot for those who have none

        for item in chosen:
            try:
                re.compile(item)
            except re.error:
                raise ValueError("regular expressions separated by commas") from None
    return chosen


def exporters(raw: str) -> tuple[str, ...]:
    """Where a signal goes: by one way, to a collector or to the local store, and to the console as well."""
    chosen = names(raw.lower())
    ways = chosen if "none" in chosen else tuple(name for name in chosen if name != "console")
    if len(ways) > 1 or any(name not in ("otlp", "store", "none") for name in ways):
        raise ValueError("none, otlp, store or console, or console with one of them (otlp,console)")
    return chosen


def choice(*accepted: str) -> Callable[[str], str]:
    def read(raw: str) -> str:
        lowered = raw.lower()
        if lowered not in accepted:
            raise ValueError("one of " + ", ".join(accepted))
        return lowered

    return read


def histogram_aggregation(raw: str) -> str:
    if raw.lower() != "explicit_bucket_histogram":
        raise ValueError("explicit_bucket_histogram, for Remora makes no exponential histograms")
    return raw.lower()


def lowered(raw: str) -> str:
    return raw.lower()


def level(raw: str) -> str:
    try:
        return _LEVELS[raw.lower()]
    except KeyError:
        raise ValueError("one of debug, info, warning, error, none") from None


def pairs(raw: str) -> dict[str, str]:
    """``key=value,key2=value2`` with percent-encoding; by the specification one bad member discards the whole."""
    found: dict[str, str] = {}
    for member in raw.split(","):
        if not member.strip():
            continue
        key, separator, value = member.partition("=")
        key = percent_decoded(key.strip())
        if not separator or not key:
            raise ValueError("key=value pairs separated by commas, values percent-encoded")
        found[key] = percent_decoded(value.strip())
    return found


def headers(raw: str) -> dict[str, str]:
    """As ``pairs``, with names in lower case; control characters would let a value forge further headers."""
    found = {name.lower(): value for name, value in pairs(raw).items()}
    for name, value in found.items():
        if not name.isascii() or any(not "!" <= sign <= "~" or sign in '"(),/:;<=>?@[\\]{}' for sign in name):
            raise ValueError("header names of letters, digits and dashes")
        if any((sign < " " and sign != "\t") or sign == "\x7f" for sign in value):
            raise ValueError("header values without control characters")
    return found


def endpoint(raw: str) -> str:
    """A URL, or what gRPC takes for a target; whether it fits the protocol is known only when both are."""
    if any(sign <= " " or sign == "\x7f" for sign in raw):
        raise ValueError("a URL such as http://localhost:4318")
    scheme, separator, rest = raw.partition("://")
    if separator and scheme.lower() in ("http", "https"):
        authority = rest.partition("/")[0].partition("?")[0].partition("#")[0]
        host, port = _host_and_port(authority.rpartition("@")[2])
        if not host or not (port is None or (port.isdecimal() and 0 < int(port) < 65536)):
            raise ValueError("a URL with a host and, if any, a port from 1 to 65535, such as http://localhost:4318")
    return raw


def percent_decoded(encoded: str) -> str:
    """Percent-decoding of UTF-8; a percent sign that starts no escape stays itself."""
    if "%" not in encoded:
        return encoded
    head, *tails = encoded.encode("utf-8", "surrogateescape").split(b"%")
    decoded = [head]
    for tail in tails:
        code = tail[:2]
        if len(code) == 2 and all(digit in b"0123456789abcdefABCDEF" for digit in code):
            decoded += (bytes((int(code, 16),)), tail[2:])
        else:
            decoded += (b"%", tail)
    try:
        return b"".join(decoded).decode("utf-8")
    except ValueError:
        raise ValueError("percent-encoded UTF-8") from None


def _whole(raw: str) -> int | None:
    try:
        return int(raw) if raw.isascii() and "_" not in raw and len(raw) < 20 else None
    except ValueError:
        return None


def _host_and_port(authority: str) -> tuple[str, str | None]:
    if authority.startswith("["):
        host, bracket, port = authority.partition("]")
        return (host[1:], port[1:] if port.startswith(":") else None) if bracket else ("", None)
    host, colon, port = authority.partition(":")
    return host, port if colon else None
