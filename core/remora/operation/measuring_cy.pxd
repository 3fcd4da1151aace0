# C layout of what is measured of a call, so that the operation engine reaches it without look-ups.
from remora.telemetry.metrics_cy cimport Histogram, Sum, SumPoint
from remora.telemetry.spans_cy cimport Span


cdef class Measuring:
    cdef public object metering
    cdef public object scope
    cdef public object duration_metric
    cdef public object active_metric
    cdef public Histogram duration
    cdef public Sum active
    cpdef Measured begin(self, object call, dict attributes, Span span)
    cdef object prepare(self, object duration, object active)


cdef class Measured:
    cdef public Histogram duration
    cdef public Sum active
    cdef public SumPoint point
    cdef public dict started
    cdef public long long began_ns
    cpdef object over(self)
    cpdef object end(self, Span span, dict ended)
