# C layout of the hot core of metrics, so that the operation engine records without look-ups.
from remora.telemetry.spans_cy cimport Span

cdef enum:
    MOST_BUCKETS = 32


cdef struct Example:
    double value
    unsigned long long time_ns
    unsigned long long trace_hi
    unsigned long long trace_lo
    unsigned long long span_id


cdef class Ledger:
    cdef public bint changed
    cdef public object on_change
    cdef public int examples
    cdef public Py_ssize_t limit
    cpdef object note(self)


cdef class HistogramPoint:
    cdef public unsigned long long count
    cdef public double total
    cdef public double least
    cdef public double most
    cdef unsigned long long[MOST_BUCKETS] counts
    cdef Example* examples


cdef class Histogram:
    cdef public Ledger ledger
    cdef public dict points
    cdef public tuple keys
    cdef public tuple boundaries
    cdef public object lock
    cdef double[MOST_BUCKETS] bounds
    cdef int size
    cpdef object record(self, object key, double value, Span span)
    cdef HistogramPoint opened(self, object key)
    cdef int count_in(self, HistogramPoint point, double value, Span span) except -1


cdef class SumPoint:
    cdef public long long value


cdef class Sum:
    cdef public Ledger ledger
    cdef public dict points
    cdef public tuple keys
    cdef public bint monotonic
    cdef public object lock
    cpdef SumPoint add(self, object key, long long amount)
    cpdef object adjust(self, SumPoint point, long long amount)
    cdef SumPoint opened(self, object key)


cpdef object key_of(tuple keys, dict first, dict second)
