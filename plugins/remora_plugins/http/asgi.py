"""ASGI: what the plugins of its servers and frameworks share."""

from __future__ import annotations

from remora.conventions.scope import ScopeCall, request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

    from remora.conventions.http_server import HttpServerCall

    Scope = MutableMapping[str, Any]

__all__ = ["mounted", "request", "routed"]


def routed(call: HttpServerCall, template: str) -> None:
    """A route of the (mounted) application matched."""
    call.route = getattr(call, "mounted", "") + template


def mounted(call: HttpServerCall, template: str) -> None:
    """The request is passed on to an application under a template that ends in ``/{path}``."""
    if isinstance(call, ScopeCall):
        call.route = call.mounted + template
        call.mounted += template.removesuffix("/{path}")
