"""The record of one call: a plugin creates it, the operation engine asks it what to put on the span.

Compiled, so that the engine reaches the record without look-ups; subclasses may be plain Python.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from remora import _cython as cython  # type: ignore[no-redef]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

COMPILED = cython.compiled


@cython.cclass
class Call:
    """One call of a library, described in the terms of a semantic convention.

    A plugin's ``reads`` function returns one of the subclasses (``HttpClientCall``, ``DatabaseCall``, ...); its
    ``ends`` function fills what is known only afterwards (status, peer, route) by plain assignment. Values may come as
    the library has them, bytes, enums, str subclasses: they are made exact here. The engine alone calls the methods.

    ``family`` is one bit per convention: while a call of a family is open, a nested call of the same family is not
    traced again (requests over urllib3). ``kind`` is 0 internal, 1 server, 2 client, 3 producer, 4 consumer.
    """

    family = 0
    kind = 0
    injects = False
    extracts = False

    # redacts: (text) -> text: cleans an exception's message by what this convention's messages quote; None: the common
    # rules. duration, active: the metrics (conventions.metrics) of how long such calls take and how many are under way.
    if not cython.compiled:
        __slots__ = ("carrier",)

        redacts: Any = None
        duration: Any = None
        active: Any = None

        carrier: MutableMapping[str, str] | None  # outgoing propagation headers are set here, by item assignment
    else:
        redacts = None
        duration = None
        active = None

    def doubles(self, outer: Any) -> bool:  # noqa: ARG002 - for conventions that can tell
        """Whether ``outer``, an open call of the same family, is this call seen from a layer above."""
        return True

    def covers(self, method: Any, host: Any, port: Any) -> bool:  # noqa: ARG002 - for conventions that can tell
        """Whether this call is sent by a layer below as a ``method`` (None: any) to this host and port."""
        return False

    def release(self) -> Any:
        """Lets go of the library's objects: the call is over, but what was current in it may be kept for long."""
        self.carrier = None
        return None

    def header(self, name: str) -> str | None:  # noqa: ARG002 - for subclasses that extract
        """One incoming header by its lower-case name, where ``extracts`` holds."""
        return None

    def name(self) -> str:
        """The span's name when it starts."""
        raise NotImplementedError

    def start(self) -> dict[str, Any]:
        """What is known before the call runs, so that the sampler sees it: a fresh dict, redacted, exact values."""
        raise NotImplementedError

    def end(self, exception: Any) -> dict[str, Any]:
        """What is known afterwards; holds ``error.type`` if and only if the call failed."""
        raise NotImplementedError

    def description(self, exception: Any) -> str | None:  # noqa: ARG002 - for subclasses
        """The redacted description of a failed call's status; None where the status code says it all."""
        return None

    def late_name(self) -> str | None:
        """A better span name known only at the end (the route), else None."""
        return None
