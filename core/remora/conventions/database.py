"""The record of a database call, for plugins to name."""

from __future__ import annotations

from remora.conventions.database_cy import DEFAULT_PORTS, DatabaseCall

__all__ = ["DEFAULT_PORTS", "DatabaseCall"]
