# C layout of an incoming request's record.
from remora.conventions.call_cy cimport Call


cdef class HttpServerCall(Call):
    cdef public object method
    cdef public object scheme
    cdef public object path
    cdef public object query
    cdef public object reader
    cdef public object peer_address
    cdef public object peer_port
    cdef public object protocol_version
    cdef public object protocol_name
    cdef public object host
    cdef public object port
    cdef public object status
    cdef public object route
    cdef public object error_type
    cdef public object exception
    cdef public object response_headers
    cdef public bint disconnected
    cpdef object put_from_headers(self, dict attributes)
    cpdef object put_agent(self, dict attributes, str agent)
    cpdef object put_addresses(self, dict attributes, object client, object host, object scheme, object port)
