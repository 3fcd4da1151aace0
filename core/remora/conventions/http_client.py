"""The record of an outgoing HTTP request, for plugins to name."""

from __future__ import annotations

from remora.conventions.http_client_cy import HttpClientCall, signed

__all__ = ["HttpClientCall", "signed"]
