"""A pipeline small enough to be seen through: spans are counted, delivering is a line in the log.

Programs of the tests import it; the environment says where the log is and how long the budget.
"""

from __future__ import annotations

import os
import time

from remora.process import exit as process_exit
from remora.process import fork, signals, threads


class FakePipeline:
    def __init__(self) -> None:
        self.waiting = 0
        self.deliveries_take_s = 0.0
        self.wakeup = signals.Wakeup()
        self.working = False

    def span(self) -> None:
        self.waiting += 1
        signals.set_pending(self.waiting)
        if not self.working:
            self.working = True
            threads.start_hidden(self._work)
            time.sleep(0.05)  # let it arm

    def deliver(self, timeout_s: float) -> None:
        time.sleep(min(self.deliveries_take_s, timeout_s))
        note(f"pid={os.getpid()} delivered={self.waiting} timeout={timeout_s:.1f}")
        self.waiting = 0
        signals.set_pending(0)

    def forked(self) -> None:
        self.waiting = 0
        self.working = False
        self.wakeup.reset()

    def _work(self) -> None:
        signals.arm()
        while True:
            why = self.wakeup.wait(60)
            signals.arm()
            if why == signals.TERMINATING:
                process_exit.end_by_signal()


def note(line: str) -> None:
    log = os.open(os.environ["FAKE_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(log, f"{line}\n".encode())
    os.close(log)


pipeline = FakePipeline()
span = pipeline.span
process_exit.set_budget(float(os.environ.get("FAKE_BUDGET_S", "2")))
process_exit.on_exit(pipeline.deliver)
fork.on_fork_child(pipeline.forked)
