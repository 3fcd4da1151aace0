"""Where OTLP goes: the specification's rules for URLs, without urllib, which would cost every boot 5 ms."""

from __future__ import annotations

_SCHEMES = ("http", "https")


def scheme(endpoint: str) -> str:
    """http, https, or nothing for a bare gRPC target."""
    found, separator, _ = endpoint.partition("://")
    return found.lower() if separator and found.lower() in _SCHEMES else ""


def default_endpoint(signal: str, protocol: str) -> str:
    return "http://localhost:4317" if protocol == "grpc" else f"http://localhost:4318/v1/{signal}"


def below_base(base: str, signal: str) -> str:
    """The signal's URL below a base URL, whose query, if any, stays at the end."""
    path, mark, query = base.partition("?")
    return f"{path.rstrip('/')}/v1/{signal}{mark}{query}"


def without_secrets(endpoint: str) -> str:
    """The URL as it may be shown: no user and password, no values in the query."""
    head, separator, rest = endpoint.partition("://")
    if not separator:
        head, rest = "", endpoint
    authority, slash, path = rest.partition("/")
    _, at, host = authority.rpartition("@")
    path, mark, _ = path.partition("?")
    host, host_mark, _ = host.partition("?")
    return f"{head}{separator}{'***@' if at else ''}{host}{host_mark and '?***'}{slash}{path}{mark and '?***'}"
