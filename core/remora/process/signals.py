"""Signals that kill by default, and the alarm clock of the worker they must wake: compiled where that is possible."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from remora.process import signals_plain as chosen
else:
    chosen = None
    if sys.platform == "linux" and not os.environ.get("REMORA_PURE_PYTHON"):
        try:
            from remora.process import signals_c as chosen
        except ImportError:  # not compiled
            pass
    if chosen is None:
        from remora.process import signals_plain as chosen

TIMEOUT = chosen.TIMEOUT
WORK = chosen.WORK
TERMINATING = chosen.TERMINATING

Wakeup = chosen.Wakeup
arm = chosen.arm
armed_again = chosen.armed_again
die = chosen.die
disarm = chosen.disarm
forget = chosen.forget
hides = chosen.hides
prepare = chosen.prepare
remaining_s = chosen.remaining_s
pending = chosen.pending
set_budget = chosen.set_budget
set_pending = chosen.set_pending
terminating = chosen.terminating
