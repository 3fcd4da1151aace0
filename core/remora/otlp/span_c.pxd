# cython: language_level=3
# One span record to protobuf in a C buffer; field numbers are those of opentelemetry/proto/trace/v1/trace.proto.
# As in wire_c, nothing runs Python code; False means no memory or a value of unknown type, and the caller rolls back.
from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from remora.otlp.attributes_c cimport put_attributes
from remora.otlp.wire_c cimport (
    Out, message_ends, message_starts, put_number, put_text, raw_big, raw_byte, raw_little, raw_varint, room,
)
from remora.telemetry.spans_cy cimport Span

cdef extern from "Python.h":
    PyObject* Py_None
    PyObject* Py_True
    bint PyLong_Check(PyObject*)
    unsigned long long PyLong_AsUnsignedLongLongMask(PyObject*)
    bint PyDict_Check(PyObject*)
    bint PyTuple_Check(PyObject*)
    Py_ssize_t PyTuple_GET_SIZE(PyObject*)
    PyObject* PyTuple_GET_ITEM(PyObject*, Py_ssize_t)
    Py_ssize_t PyList_GET_SIZE(PyObject*)
    PyObject* PyList_GET_ITEM(PyObject*, Py_ssize_t)

cdef enum:
    # Flags say whether "remote" is known (always) and whether it is so. The W3C flags stay out, as in the reference.
    REMOTE_KNOWN = 0x100
    REMOTE = 0x300


cdef inline bint whole(PyObject* number, uint64_t* value) noexcept:
    if not PyLong_Check(number):
        return False
    value[0] = PyLong_AsUnsignedLongLongMask(number)
    return True


cdef inline bint put_optional_attributes(Out* out, uint8_t tag, PyObject* attributes) noexcept:
    if attributes == Py_None:
        return True
    return PyDict_Check(attributes) and put_attributes(out, tag, attributes, 0)


cdef inline bint put_event(Out* out, PyObject* event) noexcept:
    # (name, time_ns, attributes, dropped)
    cdef uint64_t time_ns, dropped
    cdef size_t start
    if not PyTuple_Check(event) or PyTuple_GET_SIZE(event) != 4:
        return False
    if not whole(PyTuple_GET_ITEM(event, 1), &time_ns) or not whole(PyTuple_GET_ITEM(event, 3), &dropped):
        return False
    if not room(out, 32):
        return False
    raw_byte(out, 0x5A)
    start = message_starts(out, 1)
    if time_ns:
        raw_byte(out, 0x09)
        raw_little(out, time_ns, 8)
    return (
        put_text(out, 0x12, PyTuple_GET_ITEM(event, 0))
        and put_optional_attributes(out, 0x1A, PyTuple_GET_ITEM(event, 2))
        and put_number(out, 0x20, <uint32_t> dropped)
        and message_ends(out, start, 1)
    )


cdef inline bint put_link(Out* out, PyObject* link) noexcept:
    # (trace_hi, trace_lo, span_id, remote, attributes, dropped, flags, tracestate)
    cdef uint64_t trace_hi, trace_lo, span_id, dropped
    cdef size_t start
    if not PyTuple_Check(link) or PyTuple_GET_SIZE(link) != 8:
        return False
    if not whole(PyTuple_GET_ITEM(link, 0), &trace_hi) or not whole(PyTuple_GET_ITEM(link, 1), &trace_lo):
        return False
    if not whole(PyTuple_GET_ITEM(link, 2), &span_id) or not whole(PyTuple_GET_ITEM(link, 5), &dropped):
        return False
    if not room(out, 64):
        return False
    raw_byte(out, 0x6A)
    start = message_starts(out, 1)
    raw_byte(out, 0x0A)
    raw_byte(out, 16)
    raw_big(out, trace_hi)
    raw_big(out, trace_lo)
    raw_byte(out, 0x12)
    raw_byte(out, 8)
    raw_big(out, span_id)
    if not put_optional_attributes(out, 0x22, PyTuple_GET_ITEM(link, 4)):
        return False
    if not put_number(out, 0x28, <uint32_t> dropped):
        return False
    if not room(out, 8):
        return False
    raw_byte(out, 0x35)
    raw_little(out, REMOTE if PyTuple_GET_ITEM(link, 3) == Py_True else REMOTE_KNOWN, 4)
    return message_ends(out, start, 1)


cdef inline bint put_status(Out* out, int code, PyObject* message) noexcept:
    cdef size_t start
    if not room(out, 16):
        return False
    raw_byte(out, 0x7A)
    start = message_starts(out, 1)
    if message != Py_None and not put_text(out, 0x12, message):
        return False
    return put_number(out, 0x18, <uint64_t> <int64_t> code) and message_ends(out, start, 1)


cdef inline bint put_records(Out* out, Span span) noexcept:
    cdef Py_ssize_t i
    cdef PyObject* records = <PyObject*> span.event_records
    if records != Py_None:
        for i in range(PyList_GET_SIZE(records)):
            if not put_event(out, PyList_GET_ITEM(records, i)):
                return False
    if not put_number(out, 0x60, span.dropped_events_count):
        return False
    records = <PyObject*> span.link_records
    if records != Py_None:
        for i in range(PyList_GET_SIZE(records)):
            if not put_link(out, PyList_GET_ITEM(records, i)):
                return False
    return put_number(out, 0x70, span.dropped_links_count)


cdef inline bint put_span(Out* out, Span span) noexcept:
    """The span as one ``spans`` field of ScopeSpans; on False what was written so far is the caller's to roll back."""
    cdef size_t start
    if <PyObject*> span.span_name == Py_None or <PyObject*> span.tracestate == Py_None:
        return False
    if not room(out, 64):
        return False
    raw_byte(out, 0x12)
    start = message_starts(out, 2)  # nearly all spans take 128 to 16383 bytes
    raw_byte(out, 0x0A)
    raw_byte(out, 16)
    raw_big(out, span.trace_hi)
    raw_big(out, span.trace_lo)
    raw_byte(out, 0x12)
    raw_byte(out, 8)
    raw_big(out, span.span_id)
    if not put_text(out, 0x1A, <PyObject*> span.tracestate) or not room(out, 16):
        return False
    if span.parent_id:
        raw_byte(out, 0x22)
        raw_byte(out, 8)
        raw_big(out, span.parent_id)
    if not put_text(out, 0x2A, <PyObject*> span.span_name) or not room(out, 32):
        return False
    if span.kind_code != -1:
        raw_byte(out, 0x30)
        raw_varint(out, <uint64_t> <int64_t> (span.kind_code + 1))
    if span.start_ns:
        raw_byte(out, 0x39)
        raw_little(out, span.start_ns, 8)
    if span.end_ns:
        raw_byte(out, 0x41)
        raw_little(out, span.end_ns, 8)
    if not put_optional_attributes(out, 0x4A, <PyObject*> span.attribute_values):
        return False
    if not put_number(out, 0x50, span.dropped_attributes_count) or not put_records(out, span):
        return False
    if not put_status(out, span.status_code, <PyObject*> span.status_message) or not room(out, 8):
        return False
    raw_byte(out, 0x85)
    raw_byte(out, 1)
    raw_little(out, REMOTE if span.parent_remote and span.parent_id else REMOTE_KNOWN, 4)
    return message_ends(out, start, 2)
