"""The trace encoder to use: the compiled one, or its plain-Python twin where there is none or none is wanted."""

from __future__ import annotations

import os

TYPE_CHECKING = False
COMPILED = False
if TYPE_CHECKING or os.environ.get("REMORA_PURE_PYTHON"):
    from remora.otlp.traces_plain import TraceBuffer
else:
    try:
        from remora.otlp.traces_c import TraceBuffer
    except Exception:
        # Not built; or the span class is the plain one, or of another layout than this was built for, for which Cython
        # has several exceptions.
        from remora.otlp.traces_plain import TraceBuffer
    else:
        COMPILED = True

__all__ = ["COMPILED", "TraceBuffer"]
