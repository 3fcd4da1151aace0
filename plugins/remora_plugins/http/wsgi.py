"""WSGI: the status is only told to ``start_response``, and the request lasts until the body's last byte is out."""

from __future__ import annotations

from remora.conventions.environ import environ_call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from remora.api import Patcher


class Served:
    """Any application, for a server to call in its place; inside, a framework we know makes no second span."""

    def __init__(
        self, application: Callable[..., Any], patcher: Patcher, reads: Callable[..., Any] = environ_call
    ) -> None:
        def call(_: Any, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
            return application(environ, start_response)

        self._application = application
        self._traced = patcher.traced(call, reads=reads, streams=True)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        return self._traced(None, environ, start_response)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._application, name)
