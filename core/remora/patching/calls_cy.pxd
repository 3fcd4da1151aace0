# C layout of what runs around a patched function.
from remora.operation.running_cy cimport Operations, Running

cpdef Running begin(Operations operations, object reads, object instance, tuple args, object kwargs, int needed=*)
cpdef bint within(tuple part, object instance, tuple args)
cpdef object complete(Running running, object ends, object result)
cpdef bint doubled(Operations operations, unsigned int family)
cpdef tuple arguments(Running running, object args, object kwargs)


cdef class Over:
    cdef Running running


cdef class AroundCall:
    cdef unsigned int family
    cdef int needed
    cdef tuple part
    cdef Operations operations
    cdef object reads
    cdef object ends


cdef class AroundStream(AroundCall):
    pass


cdef class Looking:
    cdef Operations operations
    cdef object sees


cdef class Enriching:
    cdef Operations operations
    cdef object adds


cdef class Replacing:
    cdef Operations operations
    cdef object function
    cdef tuple part
    cdef bint tells_instance


cdef class Rewriting:
    cdef Operations operations
    cdef object rewrite


cdef class Stream:
    cdef Running running
    cdef object iterable
    cdef object iterator
    cdef object ends
    cdef object __weakref__
