"""The record of an incoming HTTP request, for plugins to name."""

from __future__ import annotations

from remora.conventions.http_server_cy import HttpServerCall

__all__ = ["HttpServerCall"]
