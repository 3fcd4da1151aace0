# cython: language_level=3
"""What the compiled queue may cimport."""


cpdef void set_pending(int count) noexcept nogil
