"""The record of a WSGI request, for plugins to name."""

from __future__ import annotations

from remora.conventions.environ_cy import EnvironCall, environ_call

__all__ = ["EnvironCall", "environ_call"]
