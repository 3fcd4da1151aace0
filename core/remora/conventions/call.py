"""What a plugin's record is and which families and kinds there are."""

from __future__ import annotations

from remora.conventions.call_cy import Call

__all__ = [
    "CLIENT",
    "CONSUMER",
    "DATABASE",
    "HTTP_CLIENT",
    "HTTP_SERVER",
    "INTERNAL",
    "MESSAGING",
    "PRODUCER",
    "RPC_CLIENT",
    "RPC_SERVER",
    "SERVER",
    "Call",
    "part_of",
    "serves",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, TypeVar

    Describer = TypeVar("Describer", bound=Callable[..., Any])

HTTP_CLIENT: Final = 1
HTTP_SERVER: Final = 2
DATABASE: Final = 4
MESSAGING: Final = 8
RPC_CLIENT: Final = 16
RPC_SERVER: Final = 32

INTERNAL: Final = 0
SERVER: Final = 1
CLIENT: Final = 2
PRODUCER: Final = 3
CONSUMER: Final = 4


def serves(family: int) -> Callable[[Describer], Describer]:
    """Decorates a describer all whose records are of one family of servers: ``HTTP_SERVER`` or ``RPC_SERVER``.

    Servers and frameworks lie in several layers around one request; the inner ones are then not even described.
    """

    def marked(describer: Describer) -> Describer:
        describer.serves = family  # type: ignore[attr-defined]
        return describer

    return marked


def part_of(host: str, port: str, method_at: int = -1, unless: str = "") -> Callable[[Describer], Describer]:
    """Decorates a describer (or a body of ``around_method``) of a layer that mostly runs below another of its family.

    ``host`` and ``port`` name the attributes of the patched method's instance that tell where its request goes,
    ``method_at`` the request's method among the arguments (-1: not there). Where the innermost open call covers it,
    the function runs as if it were not patched, except on an instance with an attribute ``unless`` of its own.
    """

    def marked(describer: Describer) -> Describer:
        describer.part_of = (host, port, method_at, unless)  # type: ignore[attr-defined]
        return describer

    return marked
