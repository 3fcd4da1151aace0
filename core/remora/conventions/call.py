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
