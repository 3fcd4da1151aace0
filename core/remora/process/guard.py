"""Runs what others registered so that a fault in it reaches neither the program nor the next in line."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _nobody(_cause: str, _fault: Exception) -> None:
    """Until the composition root gives somebody to report to."""


_report: Callable[[str, Exception], object] = _nobody


def report_to(listener: Callable[[str, Exception], object]) -> None:
    """``listener(cause, fault)`` hears of every fault from now on."""
    global _report
    _report = listener


def quietly(cause: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """``function(*arguments)``, or None when it raises an Exception; KeyboardInterrupt and SystemExit pass."""
    try:
        return function(*arguments)
    except Exception as fault:
        try:
            _report(cause, fault)
        except Exception:  # a listener that fails has nobody left to tell
            pass
        return None
