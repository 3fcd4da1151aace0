# C layout of the record of a WSGI request.
from remora.conventions.http_server_cy cimport HttpServerCall


cdef class EnvironCall(HttpServerCall):
    cdef public object environ
    cdef public object root
    cpdef bint whole(self, object result)


cdef class StartResponse:
    cdef EnvironCall call
    cdef object start_response
