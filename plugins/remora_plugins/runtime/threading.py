"""threading: a new thread starts with an empty context; it gets its starter's for as long as ``run`` lasts."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Thread
    from types import ModuleType

    from remora.api import Patcher


def patch(threading: ModuleType, patcher: Patcher) -> None:
    def take_along(thread: Thread) -> None:
        if thread._started.is_set():  # type: ignore[attr-defined]
            return  # a second start is about to raise
        run = thread.run
        carried = patcher.carried(run)
        if carried is run:
            return
        own = vars(thread)
        before = own.get("run")

        def once() -> None:
            # The thread object is as before once it runs, so that nothing keeps the frame alive after it.
            if before is None:
                own.pop("run", None)
            else:
                own["run"] = before
            carried()

        own["run"] = once

    patcher.before(threading.Thread, "start", take_along)
