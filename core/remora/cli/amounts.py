"""Durations, sizes and times in the form in which people read and write them."""

from __future__ import annotations

import re
import time

_UNITS_S = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|min|s|m|h|d|w)")


def duration(nanoseconds: int) -> str:
    """Three digits and a unit: 184 µs, 23.1 ms, 1.52 s; from two minutes on 2m 05s."""
    if nanoseconds < 0:
        return "-" + duration(-nanoseconds)
    if nanoseconds < 999_500:
        return f"{nanoseconds / 1e3:.0f} µs"
    for unit_ns, below, unit in ((1e6, 999.5, "ms"), (1e9, 119.5, "s")):
        amount = nanoseconds / unit_ns
        if amount < below:
            digits = 2 if amount < 9.995 else 1 if amount < 99.95 else 0
            return f"{amount:.{digits}f} {unit}"
    seconds = round(nanoseconds / 1e9)
    if seconds < 7200:
        return f"{seconds // 60}m {seconds % 60:02}s"
    return f"{seconds // 3600}h {seconds // 60 % 60:02}m"


def span_of_time_s(text: str) -> float:
    """Seconds of "10m", "1h30m", "250ms", "2d"; ValueError with what is accepted."""
    compact = text.strip().lower()
    parts = _PART.findall(compact)
    if not parts or _PART.sub("", compact).strip():
        raise ValueError(f"{text!r}: write a time as 30s, 10m, 2h, 1h30m or 3d")
    return float(sum(float(amount) * _UNITS_S[unit] for amount, unit in parts))


def size(size_bytes: float) -> str:
    """Bytes, with binary units from 1 KiB on."""
    if size_bytes < 1024:
        return f"{size_bytes:.0f} bytes"
    for unit in ("KiB", "MiB"):
        size_bytes /= 1024
        if size_bytes < 1024:
            return f"{size_bytes:.1f} {unit}"
    return f"{size_bytes / 1024:.1f} GiB"


def moment(unix_ns: int) -> str:
    """Local date and time to the millisecond."""
    seconds, rest = divmod(unix_ns, 1_000_000_000)
    try:
        return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(seconds))}.{rest // 1_000_000:03}"
    except (OverflowError, ValueError, OSError):
        return f"{unix_ns} ns"  # no time a calendar knows


def count(number: int, one: str, many: str = "") -> str:
    """As in "1 span" and "9 spans"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
