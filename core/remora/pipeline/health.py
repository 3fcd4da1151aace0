"""The status file of a process: what ``remora doctor PID`` reads. Written whole and renamed, 0600, gone at the end."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def folder(store_dir: str) -> str:
    """Where status files lie: one per living process, named by its pid."""
    return os.path.join(store_dir, "run")


def path_of(store_dir: str, pid: int) -> str:
    return os.path.join(folder(store_dir), f"{pid}.json")


def write(path: str, report: dict[str, Any]) -> bool:
    """Writes the report; False where nothing can be written (a read-only file system, no home)."""
    import json

    temporary = f"{path}.{os.getpid()}.new"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, json.dumps(report, default=str).encode())
        finally:
            os.close(handle)
        os.replace(temporary, path)
    except OSError:
        return False
    return True


def remove(path: str) -> None:
    """Takes the file away when its process ends."""
    try:
        os.unlink(path)
    except OSError:
        return
