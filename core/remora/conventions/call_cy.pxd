# C layout of the records, so that the operation engine calls them without look-ups.
cdef class Call:
    cdef public object carrier
    cpdef bint doubles(self, object outer)
    cpdef bint covers(self, object method, object host, object port)
    cpdef object release(self)
    cpdef object header(self, str name)
    cpdef str name(self)
    cpdef dict start(self)
    cpdef dict end(self, object exception)
    cpdef object description(self, object exception)
    cpdef object late_name(self)
