"""Keeps the tracebacks of applications that fail on purpose, and what servers print of them, out of the way."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def quiet() -> Iterator[None]:
    """Standard error goes nowhere, unless the block fails: then the rest of it is shown."""
    sys.stderr.flush()
    shown = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(shown, 2)
        os.close(nowhere)
        os.close(shown)
