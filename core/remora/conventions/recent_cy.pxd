# C layout of the memory of answers.
cdef class Recent:
    cdef long long _entries
    cdef long long _weight
    cdef long long _held
    cdef dict _young
    cdef dict _old
    cpdef object find(self, object key)
    cpdef object keep(self, object key, object value, long long weight=*)
