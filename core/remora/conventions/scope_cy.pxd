# C layout of the record of an ASGI request.
from remora.conventions.http_server_cy cimport HttpServerCall


cdef class ScopeCall(HttpServerCall):
    cdef public object scope
    cdef public object root
    cdef public object mounted
    cdef dict values
    cpdef bint told(self, object message)


cdef class Sending:
    cdef ScopeCall call
    cdef object send
    cdef object over
