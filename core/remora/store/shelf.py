"""Which files the store has, oldest first, and taking one away."""

from __future__ import annotations

import os

from remora.store.frames import FILE_HEADER_BYTES, FRAME_HEADER_BYTES, created_ns_of, parse_header


class File:
    """One file of the store."""

    __slots__ = ("created_ns", "path", "size_bytes")

    def __init__(self, path: str, created_ns: int, size_bytes: int) -> None:
        self.path = path
        self.created_ns = created_ns
        self.size_bytes = size_bytes


def files(folder: str) -> list[File]:
    """The store's files by age; [] if there is no such folder."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                created_ns = created_ns_of(entry.name)
                if created_ns is None:
                    continue
                try:
                    if entry.is_file(follow_symlinks=False):
                        size_bytes = entry.stat(follow_symlinks=False).st_size
                        found.append(File(entry.path, created_ns, size_bytes))
                except FileNotFoundError:
                    continue  # evicted by another process just now
    except (FileNotFoundError, NotADirectoryError):
        return []
    found.sort(key=lambda file: (file.created_ns, file.path))
    return found


def discard(file: File) -> int | None:
    """Remove a file: how many items were in it; None if it was gone already."""
    try:
        items = _items(file.path)
        os.unlink(file.path)
    except FileNotFoundError:
        return None
    return items


def _items(path: str) -> int:
    """The items of all frames up to the first that is damaged; only headers are read."""
    items, offset = 0, FILE_HEADER_BYTES
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        while True:
            head = os.pread(descriptor, FRAME_HEADER_BYTES, offset)
            header = parse_header(head) if len(head) == FRAME_HEADER_BYTES else None
            if header is None:
                return items
            items += header.items
            offset += header.frame_bytes
    finally:
        os.close(descriptor)
