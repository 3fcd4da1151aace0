"""URLs, taken apart and shown without secrets, by their usual name."""

from __future__ import annotations

from remora.conventions.url_cy import (
    DEFAULT_PORTS,
    MAX_URL_CHARS,
    Origin,
    absolute,
    full,
    host_and_port,
    split,
    without_path_secrets,
)

__all__ = [
    "DEFAULT_PORTS",
    "MAX_URL_CHARS",
    "Origin",
    "absolute",
    "full",
    "host_and_port",
    "split",
    "without_path_secrets",
]
