"""Starts Remora in this interpreter: helpers meanwhile are left alone, and a failure is one line and no more."""

from __future__ import annotations

import os
import sys

from remora_launch import environment

STARTING = "REMORA_STARTING"
_LONGEST = 500


def begin(onpath: str) -> None:
    """Called by ``onpath/sitecustomize.py``, the program's own comes after; only KeyboardInterrupt leaves.

    ``onpath`` is the folder that file lies in: the one to take off PYTHONPATH when the start fails.
    """
    os.environ[STARTING] = str(os.getpid())
    try:
        from remora.bootstrap import start  # here, so that a broken installation is one line as well

        start()
    except KeyboardInterrupt:
        raise
    except BaseException as fault:
        environment.disarm(os.environ, onpath)
        _tell(fault)
    finally:
        os.environ.pop(STARTING, None)


def _tell(fault: BaseException) -> None:
    level = os.environ.get("OTEL_LOG_LEVEL", "").strip().lower()
    if level in ("none", "off") or sys.__stderr__ is None:  # without a stderr, descriptor 2 may be the program's
        return
    try:
        words = " ".join(f"{type(fault).__name__}: {fault}".split())[:_LONGEST]
        line = f"remora: not started ({words}); the program runs without telemetry\n"
        os.write(2, line.encode("utf-8", "backslashreplace"))
        if level == "debug":
            sys.excepthook(type(fault), fault, fault.__traceback__)
    except Exception:  # nobody left to tell
        pass
