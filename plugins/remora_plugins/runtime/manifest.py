"""The interpreter itself: what is current travels into threads and executors."""

from __future__ import annotations

from remora.api import Instrumentation, hookimpl

_PATCHES = "remora_plugins.runtime"


@hookimpl
def instrumentations() -> list[Instrumentation]:
    return [
        Instrumentation(
            "threading",
            supports=(),
            hooks={"threading": f"{_PATCHES}.threading:patch"},
            convention="context",
        ),
        Instrumentation(
            "futures",
            supports=(),
            hooks={"concurrent.futures.thread": f"{_PATCHES}.futures:patch"},
            convention="context",
        ),
    ]
