"""Whom trace context and baggage may travel to: hosts the user names, so that nothing leaks to third parties."""

from __future__ import annotations

from remora.conventions import globs
from remora.conventions import url_cy as url
from remora.conventions.call import HTTP_CLIENT
from remora.conventions.values_cy import exact_int, exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_MAX_HOSTS = 512


class Destinations:
    """Judges outgoing calls by host; ``!pattern`` takes hosts out again. A call that names no host goes on."""

    def __init__(self, patterns: Iterable[str]) -> None:
        patterns = tuple(patterns)
        denied = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
        allowed = [pattern for pattern in patterns if not pattern.startswith("!")]
        self._allowed = globs.any_of(allowed or ["*"], ignore_case=True)
        self._denied = globs.any_of(denied, ignore_case=True)
        self._judged: dict[tuple[str, int | None], bool] = {}

    def __call__(self, call: Any) -> bool:
        """Whether headers may be added to the call."""
        if call.family == HTTP_CLIENT:
            origin = url.split(call.url)[0]
            host, port = origin.address, origin.port
        else:
            host, port = exact_text(getattr(call, "host", None)), exact_int(getattr(call, "port", None))
        if not host:
            return True
        known = self._judged.get((host, port))
        if known is None:
            known = self._judge(host, port)
            if len(self._judged) >= _MAX_HOSTS:
                self._judged.clear()
            self._judged[host, port] = known
        return known

    def _judge(self, host: str, port: int | None) -> bool:
        names = (host,) if port is None else (host, f"{host}:{port}")
        if self._denied is not None and any(self._denied.match(name) for name in names):
            return False
        return self._allowed is not None and any(self._allowed.match(name) for name in names)
