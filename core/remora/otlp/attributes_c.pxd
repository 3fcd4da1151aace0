# cython: language_level=3
# Attributes of any signal to protobuf in a C buffer; the plain-Python twin is attributes.py. As in wire_c, nothing runs
# Python code; False means no memory or a value of unknown type, and the caller rolls back.
from cpython.object cimport PyObject
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memmove

from remora.otlp.wire_c cimport (
    Out, message_ends, message_starts, raw_byte, raw_little, raw_text, raw_varint, room, text_size, varint_size,
)

cdef extern from "Python.h":
    PyObject* Py_None
    PyObject* Py_True
    PyObject* Py_False
    bint PyUnicode_Check(PyObject*)
    void* PyUnicode_DATA(PyObject*)
    Py_ssize_t PyUnicode_GET_LENGTH(PyObject*)
    bint PyLong_Check(PyObject*)
    long long PyLong_AsLongLongAndOverflow(PyObject*, int*)
    bint PyFloat_Check(PyObject*)
    double PyFloat_AS_DOUBLE(PyObject*)
    bint PyBytes_Check(PyObject*)
    char* PyBytes_AS_STRING(PyObject*)
    Py_ssize_t PyBytes_GET_SIZE(PyObject*)
    bint PyDict_Check(PyObject*)
    bint PyDict_Next(PyObject*, Py_ssize_t*, PyObject**, PyObject**)
    bint PyTuple_Check(PyObject*)
    Py_ssize_t PyTuple_GET_SIZE(PyObject*)
    PyObject* PyTuple_GET_ITEM(PyObject*, Py_ssize_t)
    bint PyList_Check(PyObject*)
    Py_ssize_t PyList_GET_SIZE(PyObject*)
    PyObject* PyList_GET_ITEM(PyObject*, Py_ssize_t)
    PyObject* PyNumber_ToBase(PyObject*, int)
    void Py_DECREF(PyObject*)
    void PyErr_Clear()

cdef enum:
    # The same limits as in attributes.py, where they are explained.
    DEEPEST = 30
    LONGEST_DECIMAL = 500
    # What that many hexadecimal digits need as 32-bit limbs, as groups of nine decimal digits, and as text.
    LIMBS = 63
    GROUPS = 68
    DECIMALS = 640


# Values. An AnyValue is written without its length; one that holds no message fits into `small`, all others measure
# themselves by reserving their length.

cdef inline int small_value(uint8_t* small, PyObject* value) noexcept:
    """Writes an AnyValue of None, bool, int or float (at most 11 bytes); -1 if it is none of them."""
    cdef Out out
    cdef int overflow
    cdef long long number
    cdef double fraction
    cdef uint64_t bits
    out.data = small
    out.used = 0
    if PyLong_Check(value):
        if value == Py_True or value == Py_False:
            small[0] = 0x10
            small[1] = value == Py_True
            return 2
        number = PyLong_AsLongLongAndOverflow(value, &overflow)
        if overflow:
            return -1
        small[0] = 0x18
        out.used = 1
        raw_varint(&out, <uint64_t> number)
        return <int> out.used
    if PyFloat_Check(value):
        fraction = PyFloat_AS_DOUBLE(value)
        memcpy(&bits, &fraction, 8)
        small[0] = 0x21
        out.used = 1
        raw_little(&out, bits, 8)
        return 9
    return 0 if value == Py_None else -1


cdef inline bint put_sized(Out* out, uint8_t tag, const void* data, size_t size) noexcept:
    if not room(out, size + 11):
        return False
    raw_byte(out, tag)
    raw_varint(out, size)
    memcpy(out.data + out.used, data, size)
    out.used += size
    return True


cdef inline bint put_string_value(Out* out, PyObject* text) noexcept:
    """The string case of an AnyValue, which is there even when empty."""
    cdef Py_ssize_t size = text_size(text)
    if not room(out, size + 11):
        return False
    raw_byte(out, 0x0A)
    raw_varint(out, size)
    raw_text(out, text, size)
    return True


cdef inline int decimals(const uint8_t* digits, Py_ssize_t count, uint8_t* text) noexcept:
    """Hexadecimal digits to decimal ones, by dividing by 10^9 again and again; returns how many there are."""
    cdef uint32_t[LIMBS] limbs  # most significant first
    cdef uint32_t[GROUPS] groups  # least significant first
    cdef int limb_count = <int> (count + 7) // 8
    cdef int group_count = 0
    cdef int first = 0
    cdef int i, j, size
    cdef uint64_t rest
    cdef uint32_t group
    for i in range(limb_count):
        limbs[i] = 0
    for i in range(<int> count):
        j = limb_count - 1 - (<int> count - 1 - i) // 8
        limbs[j] = limbs[j] << 4 | (digits[i] - (48 if digits[i] < 58 else 87))
    while first < limb_count:
        rest = 0
        for i in range(first, limb_count):
            rest = rest << 32 | limbs[i]
            limbs[i] = <uint32_t> (rest // 1000000000)
            rest = rest % 1000000000
        groups[group_count] = <uint32_t> rest
        group_count += 1
        while first < limb_count and limbs[first] == 0:
            first += 1
    size = 0
    for i in range(group_count):
        group = groups[group_count - 1 - i]
        for j in range(9):
            text[size + 8 - j] = <uint8_t> (48 + group % 10)
            group = group // 10
        size += 9
    first = 0
    while text[first] == 48:
        first += 1
    memmove(text, text + first, size - first)
    return size - first


cdef inline bint put_great_number(Out* out, PyObject* number) noexcept:
    """An int beyond 64 bits as a string of digits, hexadecimal when it is very long.

    Python's own decimals are no choice: on the way it looks for signals and garbage, and so runs any code there is.
    """
    cdef uint8_t[DECIMALS] text
    cdef const uint8_t* digits
    cdef Py_ssize_t count
    cdef int sign
    cdef bint done
    cdef PyObject* hexadecimal = PyNumber_ToBase(number, 16)
    if hexadecimal == NULL:
        PyErr_Clear()
        return False
    digits = <const uint8_t*> PyUnicode_DATA(hexadecimal)
    count = PyUnicode_GET_LENGTH(hexadecimal)
    if count > LONGEST_DECIMAL:
        done = put_string_value(out, hexadecimal)
    else:
        sign = digits[0] == 45
        text[0] = 45
        sign += decimals(digits + sign + 2, count - sign - 2, text + sign)  # without "0x"
        done = put_sized(out, 0x0A, text, sign)
    Py_DECREF(hexadecimal)
    return done


cdef inline bint put_items(Out* out, PyObject* items, Py_ssize_t count, bint is_tuple, int depth) noexcept:
    cdef Py_ssize_t i
    cdef size_t start
    for i in range(count):
        if not room(out, 2):
            return False
        raw_byte(out, 0x0A)
        start = message_starts(out, 1)
        if not put_any_value(out, PyTuple_GET_ITEM(items, i) if is_tuple else PyList_GET_ITEM(items, i), depth):
            return False
        if not message_ends(out, start, 1):
            return False
    return True


cdef inline bint put_any_value(Out* out, PyObject* value, int depth) noexcept:
    cdef uint8_t small[16]
    cdef size_t start
    cdef int size
    cdef bint done
    if PyUnicode_Check(value):
        return put_string_value(out, value)
    size = small_value(small, value)
    if size >= 0:
        if not room(out, size):
            return False
        memcpy(out.data + out.used, small, size)
        out.used += size
        return True
    if PyLong_Check(value):
        return put_great_number(out, value)
    if PyBytes_Check(value):
        return put_sized(out, 0x3A, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
    if not (PyTuple_Check(value) or PyList_Check(value) or PyDict_Check(value)):
        return False
    if depth >= DEEPEST:
        return put_sized(out, 0x0A, b"(nested too deeply)", 19)
    if not room(out, 2):
        return False
    raw_byte(out, 0x32 if PyDict_Check(value) else 0x2A)
    start = message_starts(out, 1)
    if PyDict_Check(value):
        done = put_attributes(out, 0x0A, value, depth + 1)
    elif PyTuple_Check(value):
        done = put_items(out, value, PyTuple_GET_SIZE(value), True, depth + 1)
    else:
        done = put_items(out, value, PyList_GET_SIZE(value), False, depth + 1)
    return done and message_ends(out, start, 1)


cdef inline bint put_key_value(Out* out, uint8_t tag, PyObject* key, PyObject* value, int depth) noexcept:
    """One KeyValue message; strings and numbers, which nearly all are, are measured first and written straight."""
    cdef uint8_t small[16]
    cdef Py_ssize_t key_size, text
    cdef size_t key_part, value_size, start, value_start
    cdef int size = -1
    if not PyUnicode_Check(key):
        return False
    key_size = text_size(key)
    key_part = 1 + varint_size(key_size) + key_size if key_size else 0
    if PyUnicode_Check(value):
        text = text_size(value)
        value_size = 1 + varint_size(text) + text
    else:
        text = 0
        size = small_value(small, value)
        value_size = size
        if size < 0:
            if not room(out, key_part + 16):
                return False
            raw_byte(out, tag)
            start = message_starts(out, 1)
            if key_size:
                raw_byte(out, 0x0A)
                raw_varint(out, key_size)
                raw_text(out, key, key_size)
            raw_byte(out, 0x12)
            value_start = message_starts(out, 1)
            if not put_any_value(out, value, depth):
                return False
            return message_ends(out, value_start, 1) and message_ends(out, start, 1)
    if not room(out, key_part + value_size + 32):
        return False
    raw_byte(out, tag)
    raw_varint(out, key_part + 1 + varint_size(value_size) + value_size)
    if key_size:
        raw_byte(out, 0x0A)
        raw_varint(out, key_size)
        raw_text(out, key, key_size)
    raw_byte(out, 0x12)
    raw_varint(out, value_size)
    if size < 0:
        raw_byte(out, 0x0A)
        raw_varint(out, text)
        raw_text(out, value, text)
    else:
        memcpy(out.data + out.used, small, size)
        out.used += size
    return True


cdef inline bint put_attributes(Out* out, uint8_t tag, PyObject* attributes, int depth) noexcept:
    """Each item of a dict as a KeyValue field ``tag``."""
    cdef PyObject* key
    cdef PyObject* value
    cdef Py_ssize_t position = 0
    while PyDict_Next(attributes, &position, &key, &value):
        if not put_key_value(out, tag, key, value, depth):
            return False
    return True
