# C layout of an outgoing request's record.
from remora.conventions.call_cy cimport Call


cdef class HttpClientCall(Call):
    cdef public object method
    cdef public object url
    cdef public object headers
    cdef public object response_headers
    cdef public object status
    cdef public object protocol_version
    cdef public object protocol_name
    cdef public object peer_address
    cdef public object peer_port
    cdef public object resend_count
    cdef public object error_type
    cdef public object parts
