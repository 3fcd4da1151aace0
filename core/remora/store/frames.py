"""The file format: a versioned header, then frames that can be told from damage, from each other and from a torn end.

All integers are little-endian.

    file header   magic "REMORAST" | version u16 | 0 u16 | pid u32 | created, Unix ns u64 | crc32 of these u32
    frame         magic 4 bytes | data size u32 | signal u8 | codec u8 | 0 u16 | items u32 | body size u32
                  | written, Unix ns u64 | crc32 of these u32 | data | crc32 of header and data u32

The header has a checksum of its own, so that a size is trusted before it is followed. Data is one whole OTLP
Export*ServiceRequest, compressed.
"""

from __future__ import annotations

from struct import Struct
from zlib import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

VERSION: Final = 1
SIGNALS: Final = {"traces": 1, "metrics": 2, "logs": 3, "profiles": 4}
FRAME_MAGIC: Final = b"\xf5\x52\x46\x01"
MAX_BODY_BYTES: Final = 64 * 1024 * 1024

_FILE_MAGIC: Final = b"REMORAST"
_FILE: Final = Struct("<8sHHIQ")
_FRAME: Final = Struct("<4sIBBHIIQ")
_SUM: Final = Struct("<I")
FILE_HEADER_BYTES: Final = _FILE.size + _SUM.size
FRAME_HEADER_BYTES: Final = _FRAME.size + _SUM.size
TRAILER_BYTES: Final = _SUM.size
_MAX_DATA_BYTES: Final = MAX_BODY_BYTES + 1024 * 1024  # incompressible data grows a little

_PREFIX: Final = "remora-"
_SUFFIX: Final = ".frames"
_NAMES: Final = {number: name for name, number in SIGNALS.items()}


class FrameHeader:
    """What a frame says about its data."""

    __slots__ = ("body_bytes", "codec", "data_bytes", "items", "signal", "time_ns")

    def __init__(self, signal: str, codec: int, items: int, data_bytes: int, body_bytes: int, time_ns: int) -> None:
        self.signal = signal
        self.codec = codec
        self.items = items
        self.data_bytes = data_bytes
        self.body_bytes = body_bytes
        self.time_ns = time_ns

    @property
    def frame_bytes(self) -> int:
        return FRAME_HEADER_BYTES + self.data_bytes + TRAILER_BYTES


def file_header(pid: int, created_ns: int) -> bytes:
    head = _FILE.pack(_FILE_MAGIC, VERSION, 0, pid, created_ns)
    return head + _SUM.pack(crc32(head))


def fault_of_file(head: bytes) -> tuple[str, bool]:
    """What is wrong with a file's first FILE_HEADER_BYTES, "" for nothing, and whether that makes all unreadable."""
    magic, version, *_ = _FILE.unpack_from(head)
    if magic != _FILE_MAGIC or _SUM.unpack_from(head, _FILE.size)[0] != crc32(head[: _FILE.size]):
        return "the file header is damaged", False
    if version != VERSION:
        return f"the file has format version {version}, this Remora reads version {VERSION}", True
    return "", False


def frame(header: FrameHeader, data: bytes) -> bytes:
    """The whole frame, to be written by one call."""
    head = _FRAME.pack(
        FRAME_MAGIC,
        len(data),
        SIGNALS[header.signal],
        header.codec,
        0,
        header.items,
        header.body_bytes,
        header.time_ns,
    )
    head += _SUM.pack(crc32(head))
    return b"".join((head, data, _SUM.pack(crc32(data, crc32(head)))))


def parse_header(head: bytes) -> FrameHeader | None:
    """The header in the first FRAME_HEADER_BYTES of `head`; None if there is no sound one."""
    magic, data_bytes, signal, codec, _, items, body_bytes, time_ns = _FRAME.unpack_from(head)
    if magic != FRAME_MAGIC or _SUM.unpack_from(head, _FRAME.size)[0] != crc32(head[: _FRAME.size]):
        return None
    if data_bytes > _MAX_DATA_BYTES:
        return None
    return FrameHeader(_NAMES.get(signal, f"signal {signal}"), codec, items, data_bytes, body_bytes, time_ns)


def is_sound(head: bytes, data_and_trailer: bytes) -> bool:
    """Whether the frame's last four bytes are the checksum of all before them."""
    data = data_and_trailer[:-TRAILER_BYTES]
    return bool(_SUM.unpack(data_and_trailer[-TRAILER_BYTES:])[0] == crc32(data, crc32(head)))


def file_name(created_ns: int, pid: int) -> str:
    """Names sort by age; the process id tells who writes it."""
    return f"{_PREFIX}{created_ns:020d}-{pid}{_SUFFIX}"


def created_ns_of(name: str) -> int | None:
    """When a store's file was begun, by its name; None for any other file."""
    if not name.startswith(_PREFIX) or not name.endswith(_SUFFIX):
        return None
    created, _, pid = name[len(_PREFIX) : -len(_SUFFIX)].partition("-")
    return int(created) if created.isdecimal() and created.isascii() and pid.isdecimal() else None
