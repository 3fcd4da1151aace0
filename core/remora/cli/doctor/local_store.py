"""The folder that takes what cannot be delivered: how full it is, and whether it takes anything."""

from __future__ import annotations

import os

from remora.cli import amounts
from remora.store.shelf import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from remora.cli.doctor.findings import Report
    from remora.settings import Settings


def examine(report: Report, chosen: Settings) -> None:
    """Add a section about the store of ``chosen``. Nothing is created."""
    folder = chosen.store_dir
    try:
        found = files(folder)
        obstacle = _obstacle(folder)
    except OSError as error:
        found, obstacle = [], (error.strerror or str(error)).lower()
    size_bytes = sum(file.size_bytes for file in found)
    report.data["store"] = {
        "path": folder,
        "size_bytes": size_bytes,
        "max_bytes": chosen.store_max_bytes,
        "files": len(found),
        "writable": obstacle is None,
    }
    section = report.section("Local store", folder)
    if obstacle is not None:
        section.problem(f"nothing can be kept in {folder}: {obstacle}; set REMORA_STORE_DIR to a folder you may write")
    elif chosen.store_max_bytes == 0:
        section.note("REMORA_STORE_MAX_BYTES=0: what cannot be delivered is dropped")
    else:
        limit = amounts.size(chosen.store_max_bytes)
        state = f"{amounts.size(size_bytes)} of {limit}" if found else f"empty, takes up to {limit}"
        section.good(f"writable, {state}")


def _obstacle(folder: str) -> str | None:
    """Why nothing can be written there; None if it can, or the folder could be made."""
    if os.path.exists(folder) and not os.path.isdir(folder):
        return "it is no folder"
    existing = folder
    while not os.path.exists(existing):
        existing = os.path.dirname(existing)
    if not os.path.isdir(existing):
        return f"{existing} is no folder"
    if not os.access(existing, os.W_OK | os.X_OK):
        return f"{'it' if existing == folder else existing} is not writable"
    own = os.geteuid()
    if existing == folder and own != 0 and os.stat(folder).st_uid not in (own, 0):
        return "it belongs to somebody else"
    return None
