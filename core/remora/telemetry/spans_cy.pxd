# C layout of the hot core of tracing, so that the wire encoder and the operation engine read it without look-ups.
cdef class Frame:
    cdef public object span
    cdef public object server
    cdef public object open_call
    cdef public dict baggage
    cdef public object otel
    cdef public object otel_base
    cdef public unsigned int open_families
    cdef public bint suppressed
    cpdef Frame child(self, object span)


cdef class Span:
    cdef public unsigned long long trace_hi
    cdef public unsigned long long trace_lo
    cdef public unsigned long long span_id
    cdef public unsigned long long parent_id
    cdef public unsigned long long start_ns
    cdef public unsigned long long end_ns
    cdef public unsigned int flags
    cdef public int kind_code
    cdef public int status_code
    cdef public unsigned int dropped_attributes_count
    cdef public unsigned int dropped_events_count
    cdef public unsigned int dropped_links_count
    cdef public bint parent_remote
    cdef public bint remote
    cdef public bint recording
    cdef public bint ended
    cdef public bint quiet_exceptions
    cdef public bint keep_status
    cdef public bint silent
    cdef public long long anchor_ns
    cdef public str span_name
    cdef public str tracestate
    cdef public object status_message
    cdef public dict attribute_values
    cdef public list event_records
    cdef public list link_records
    cdef public object scope
    cdef public Engine engine
    cdef public object context_object
    cdef object __weakref__
    cdef dict __dict__
    cpdef object put(self, dict attributes)
    cpdef object finish(self, unsigned long long end_ns)


cdef class Engine:
    cdef public object deliver
    cdef public object processors
    cdef public object sampler
    cdef public object id_generator
    cdef public object redact
    cdef public object resource
    cdef public int root_mode
    cdef public int child_mode
    cdef public unsigned long long ratio_bound
    cdef public long long attribute_count_limit
    cdef public long long attribute_length_limit
    cdef public long long event_count_limit
    cdef public long long link_count_limit
    cdef public long long event_attribute_count_limit
    cdef public long long link_attribute_count_limit
    cdef public unsigned long long started
    cdef public unsigned long long finished
    cdef public unsigned int dropped_now
    cdef public unsigned long long undelivered
    cdef public unsigned int root_flags
    cdef unsigned long long s0
    cdef unsigned long long s1
    cdef unsigned long long s2
    cdef unsigned long long s3
    cdef public object random_bits
    cdef unsigned long long next_id(self)
    cpdef Span begin(self, object scope, str name, int kind, Frame frame, dict attributes, list links, unsigned long long start_ns)
    cpdef dict clean(self, object attributes, long long count_limit)
    cdef object clean_value(self, object value, int depth)


cdef class SpanScope:
    cdef public Tracer tracer
    cdef public object arguments
    cdef public Span span
    cdef public Frame frame
    cdef public object token
    cdef public bint end_on_exit


cdef class Tracer:
    cdef public Engine engine
    cdef public object scope
    cdef public object delegate
    cdef object __weakref__


cpdef Frame current()
cpdef object push(Frame frame)
cpdef object pop(object token, Frame frame)
