# C layout of the record of a database call.
from remora.conventions.call_cy cimport Call


cdef class Peer:
    cdef public object address
    cdef public object port
    cdef public bint mixed


cdef class Place:
    cdef public object system
    cdef public object namespace
    cdef public object host
    cdef public object port
    cdef public Peer peer
    cdef public dict commands


cdef class QueryReads:
    cdef readonly str holder
    cdef readonly object otherwise


cdef class CommandReads:
    cdef readonly str holder
    cdef readonly object otherwise


cdef class DatabaseCall(Call):
    cdef public object system
    cdef public object text
    cdef public object namespace
    cdef public object host
    cdef public object port
    cdef public object operation
    cdef public object collection
    cdef public object stored_procedure
    cdef public object batch_size
    cdef public object statement
    cdef public object status_code
    cdef public object peer_address
    cdef public object peer_port
    cdef public object error_type
    cdef public object told
    cdef public Place place
    cdef public object peer_told
    cdef public bint parameterized
    cdef object _remembered(self)
    cdef str _name(self)
    cdef dict _start(self)
    cdef object _statement(self)
    cdef object _shown_text(self)
    cdef object _summary(self)
    cdef object _operation(self)
    cdef bint _is_batch(self)
    cdef object _target(self)
