"""The record of an ASGI request, for plugins to name."""

from __future__ import annotations

from remora.conventions.scope_cy import ScopeCall, request

__all__ = ["ScopeCall", "request"]
