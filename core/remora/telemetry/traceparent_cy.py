"""The ``traceparent`` header's value, written for every outgoing call. Compiled when it can be; the same either way."""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from remora import _cython as cython  # type: ignore[no-redef]

if not cython.compiled:
    from remora.telemetry.spans_cy import Span
else:
    from cython.cimports.libc.stdint import uint64_t
    from cython.cimports.remora.telemetry.spans_cy import Span

COMPILED = cython.compiled

if cython.compiled:

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _hex(target: cython.p_char, value: uint64_t, digits: cython.int) -> cython.void:
        position: cython.int = digits
        nibble: cython.int
        while position > 0:
            position -= 1
            nibble = value & 15
            target[position] = 48 + nibble if nibble < 10 else 87 + nibble
            value >>= 4


def traceparent(span: Span) -> str:
    """Version 00 of W3C Trace Context: trace id, span id, and the flags that level 2 knows."""
    if cython.compiled:
        text: cython.char[55]
        text[0] = text[1] = 48
        text[2] = text[35] = text[52] = 45
        _hex(cython.address(text[3]), span.trace_hi, 16)
        _hex(cython.address(text[19]), span.trace_lo, 16)
        _hex(cython.address(text[36]), span.span_id, 16)
        _hex(cython.address(text[53]), span.flags & 3, 2)
        return text[:55].decode("ascii")
    return f"00-{span.trace_hi:016x}{span.trace_lo:016x}-{span.span_id:016x}-{span.flags & 0x03:02x}"
