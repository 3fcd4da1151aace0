# C layout of a running call, so that what runs around the patched functions reaches it without look-ups.
from remora.conventions.call_cy cimport Call
from remora.operation.measuring_cy cimport Measured, Measuring
from remora.telemetry.spans_cy cimport Engine, Frame, Span


cdef class Operations:
    cdef public Engine engine
    cdef public object scope
    cdef public object propagation
    cdef public object fault
    cdef public object excluded
    cdef public object reaches
    cdef public object optional
    cdef public bint active
    cdef public Measuring measuring
    cpdef Running begin(self, object call)


cdef class Running:
    cdef public Call call
    cdef public Span span
    cdef public Frame frame
    cdef public Operations operations
    cdef public object token
    cdef public bint over
    cdef public Measured measured
    cpdef object enter(self)
    cpdef object leave(self)
    cpdef object end(self, object exception=*, object wordless=*)
    cdef object _complete(self, object exception, object wordless)
