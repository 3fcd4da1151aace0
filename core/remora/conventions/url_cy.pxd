# C layout of a URL's parts, for the compiled records.
cdef class Origin:
    cdef readonly object scheme
    cdef readonly object address
    cdef readonly object port
    cdef readonly str text
    cdef readonly bint credential_path


cpdef tuple split(object url)
cpdef str full(Origin origin, str rest)
cpdef str absolute(object scheme, object host, object port, object target)
