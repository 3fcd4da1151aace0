# cython: language_level=3
# Writing OTLP protobuf into a C buffer. Everything is inline: each compiled encoder that cimports this gets its own
# copy and there is no module to load at run time.
#
# Nothing in here runs Python code, makes an object the garbage collector tracks, or leaves an exception set. An encoder
# built on it is therefore atomic under the GIL: no finaliser, signal handler or other thread can get in between.
#
# Naming: put_* writes bytes; checked ones return False when there is no memory or the value is of no known type, and
# the caller rolls back. "raw_" ones trust the caller to have asked for room.
from cpython.mem cimport PyMem_RawRealloc
from cpython.object cimport PyObject
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memmove

cdef extern from "Python.h":
    bint PyUnicode_Check(PyObject*)
    bint PyUnicode_IS_COMPACT_ASCII(PyObject*)
    int PyUnicode_KIND(PyObject*)
    void* PyUnicode_DATA(PyObject*)
    Py_ssize_t PyUnicode_GET_LENGTH(PyObject*)

cdef struct Out:
    uint8_t* data
    size_t used
    size_t capacity


cdef inline bint room(Out* out, size_t more) noexcept:
    cdef size_t capacity
    cdef uint8_t* data
    if out.capacity - out.used >= more:
        return True
    capacity = max(out.used + more, out.capacity * 2)
    data = <uint8_t*> PyMem_RawRealloc(out.data, capacity)
    if data == NULL:
        return False
    out.data = data
    out.capacity = capacity
    return True


cdef inline int varint_size(uint64_t value) noexcept:
    cdef int size = 1
    while value > 127:
        size += 1
        value >>= 7
    return size


cdef inline void raw_byte(Out* out, uint8_t value) noexcept:
    out.data[out.used] = value
    out.used += 1


cdef inline void raw_varint(Out* out, uint64_t value) noexcept:
    while value > 127:
        out.data[out.used] = <uint8_t> (value & 127 | 128)
        out.used += 1
        value >>= 7
    out.data[out.used] = <uint8_t> value
    out.used += 1


cdef inline void raw_little(Out* out, uint64_t value, int size) noexcept:
    cdef int i
    for i in range(size):
        out.data[out.used + i] = <uint8_t> (value >> (8 * i))
    out.used += size


cdef inline void raw_big(Out* out, uint64_t value) noexcept:
    cdef int i
    for i in range(8):
        out.data[out.used + i] = <uint8_t> (value >> (56 - 8 * i))
    out.used += 8


cdef inline size_t message_starts(Out* out, int reserved) noexcept:
    """Reserves the length of a message and returns where its content starts."""
    out.used += reserved
    return out.used


cdef inline bint message_ends(Out* out, size_t start, int reserved) noexcept:
    """Writes the length of the content since ``start`` into its place, moving the content if the guess was wrong."""
    cdef size_t size = out.used - start
    cdef int width = varint_size(size)
    if width != reserved:
        if not room(out, 10):
            return False
        memmove(out.data + start + width - reserved, out.data + start, size)
    out.used = start - reserved
    raw_varint(out, size)
    out.used += size
    return True


# Text. Python's own encoder would cache the bytes in the string, and raise for lone surrogates: they become "?".

cdef inline Py_ssize_t text_size(PyObject* text) noexcept:
    cdef Py_ssize_t length = PyUnicode_GET_LENGTH(text)
    cdef Py_ssize_t size = length
    cdef Py_ssize_t i
    cdef const uint8_t* narrow
    cdef const uint16_t* middle
    cdef const uint32_t* wide
    if PyUnicode_IS_COMPACT_ASCII(text):
        return length
    if PyUnicode_KIND(text) == 1:
        narrow = <const uint8_t*> PyUnicode_DATA(text)
        for i in range(length):
            size += narrow[i] >> 7
    elif PyUnicode_KIND(text) == 2:
        middle = <const uint16_t*> PyUnicode_DATA(text)
        for i in range(length):
            if middle[i] >= 0x80:
                size += 1
                if middle[i] >= 0x800:
                    size += 1 if middle[i] & 0xF800 != 0xD800 else -1
    else:
        wide = <const uint32_t*> PyUnicode_DATA(text)
        for i in range(length):
            if wide[i] >= 0x80:
                size += 1
                if wide[i] >= 0x10000:
                    size += 2
                elif wide[i] >= 0x800:
                    size += 1 if wide[i] & 0xF800 != 0xD800 else -1
    return size


cdef inline void raw_code_point(Out* out, uint32_t point) noexcept:
    if point < 0x80:
        raw_byte(out, <uint8_t> point)
    elif point < 0x800:
        raw_byte(out, <uint8_t> (0xC0 | point >> 6))
        raw_byte(out, <uint8_t> (0x80 | point & 0x3F))
    elif point & 0xFFFFF800 == 0xD800:
        raw_byte(out, b"?")
    elif point < 0x10000:
        raw_byte(out, <uint8_t> (0xE0 | point >> 12))
        raw_byte(out, <uint8_t> (0x80 | point >> 6 & 0x3F))
        raw_byte(out, <uint8_t> (0x80 | point & 0x3F))
    else:
        raw_byte(out, <uint8_t> (0xF0 | point >> 18))
        raw_byte(out, <uint8_t> (0x80 | point >> 12 & 0x3F))
        raw_byte(out, <uint8_t> (0x80 | point >> 6 & 0x3F))
        raw_byte(out, <uint8_t> (0x80 | point & 0x3F))


cdef inline void raw_text(Out* out, PyObject* text, Py_ssize_t size) noexcept:
    cdef Py_ssize_t i
    cdef int kind
    cdef void* data = PyUnicode_DATA(text)
    if PyUnicode_IS_COMPACT_ASCII(text):
        memcpy(out.data + out.used, data, size)
        out.used += size
        return
    kind = PyUnicode_KIND(text)
    for i in range(PyUnicode_GET_LENGTH(text)):
        if kind == 1:
            raw_code_point(out, (<const uint8_t*> data)[i])
        elif kind == 2:
            raw_code_point(out, (<const uint16_t*> data)[i])
        else:
            raw_code_point(out, (<const uint32_t*> data)[i])


cdef inline bint put_text(Out* out, uint8_t tag, PyObject* text) noexcept:
    """A string field, left out when empty."""
    cdef Py_ssize_t size
    if not PyUnicode_Check(text):
        return False
    size = text_size(text)
    if size == 0:
        return True
    if not room(out, size + 11):
        return False
    raw_byte(out, tag)
    raw_varint(out, size)
    raw_text(out, text, size)
    return True


cdef inline bint put_number(Out* out, uint8_t tag, uint64_t number) noexcept:
    """A varint field, left out when zero."""
    if number == 0:
        return True
    if not room(out, 11):
        return False
    raw_byte(out, tag)
    raw_varint(out, number)
    return True
