"""Which requests are left out altogether: by regular expressions searched in the URL, or by patterns with * and ?."""

from __future__ import annotations

from remora import diagnostics
from remora.conventions import globs
from remora.conventions import url_cy as url
from remora.conventions.call import HTTP_CLIENT, HTTP_SERVER
from remora.conventions.values_cy import exact_int, exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


class Excluded:
    """Judges calls, served and sent.

    ``expressions`` are searched in the path, the URL and the URL with its query (OpenTelemetry's variables). Of the
    ``patterns`` one that begins with a slash is held against the path, one with a slash further on against host and
    path or, with a scheme, the URL without its query, any other against the host, with or without its port.
    ``left_out`` counts those that were.
    """

    def __init__(self, expressions: Iterable[str], patterns: Iterable[str]) -> None:
        import re  # deferred: only where somebody excludes something

        joined = "|".join(f"(?:{expression})" for expression in expressions)
        self._search = re.compile(joined).search if joined else None
        patterns = tuple(patterns)
        self._paths = globs.any_of(pattern for pattern in patterns if pattern.startswith("/"))
        self._urls = globs.any_of(
            pattern if "://" in pattern else f"*://{pattern}"
            for pattern in patterns
            if "/" in pattern and not pattern.startswith("/")
        )
        self._hosts = globs.any_of((pattern for pattern in patterns if "/" not in pattern), ignore_case=True)
        self.left_out = 0

    def __call__(self, call: Any) -> bool:
        """Whether the call is to be left out; a call that cannot be judged is not."""
        try:
            if call.family == HTTP_SERVER:
                excluded = self._matches(*_served(call))
            else:
                excluded = call.family == HTTP_CLIENT and self._matches(*_sent(call))
        except Exception as error:
            diagnostics.say("excluded", f"a request's URL could not be judged: {diagnostics.fault_text(error)}")
            return False
        self.left_out += excluded
        return excluded

    def _matches(self, scheme: str, host: str, port: int | None, path: str, query: str) -> bool:
        search = self._search
        named = host if port is None or port == url.DEFAULT_PORTS.get(scheme) else f"{host}:{port}"
        whole = f"{scheme}://{named}{path}"
        if search is not None and (search(path) or search(whole) or (query and search(f"{whole}?{query}"))):
            return True
        if self._paths is not None and self._paths.match(path):
            return True
        if self._urls is not None and self._urls.match(whole):
            return True
        hosts = self._hosts
        return hosts is not None and bool(hosts.match(host) or (port is not None and hosts.match(f"{host}:{port}")))


def _served(call: Any) -> tuple[str, str, int | None, str, str]:
    scheme = exact_text(call.scheme) or "http"
    authority = exact_text(call.header("host") or call.header(":authority"))
    if authority:
        host, port = url.host_and_port(authority)
    else:
        host, port = exact_text(call.host), exact_int(call.port)
    if port is None:
        port = url.DEFAULT_PORTS.get(scheme)
    return scheme, host or "", port, exact_text(call.path) or "/", (exact_text(call.query) or "").removeprefix("?")


def _sent(call: Any) -> tuple[str, str, int | None, str, str]:
    origin, rest = url.split(call.url)
    path, _, query = rest.partition("#")[0].partition("?")
    return origin.scheme or "http", origin.address or "", origin.port, path or "/", query
