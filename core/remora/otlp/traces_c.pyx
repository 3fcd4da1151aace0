# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, auto_pickle=False
"""Spans to OTLP bytes, compiled: each span is written into its scope's C buffer by the thread that ended it.

The plain-Python twin with the same behaviour is ``traces_plain``. No locks: the GIL is held, see also ``wire_c``.
"""
cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc, PyMem_RawRealloc
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

from remora.otlp.span_c cimport put_span
from remora.otlp.wire_c cimport Out
from remora.telemetry.spans_cy cimport Span

from _collections import deque

from remora.otlp.batch import Batch
from remora.otlp.envelope import Envelope

cdef enum:
    # Blocks start small and double: there may be thousands of scopes with a span each.
    FIRST_BLOCK = 1024
    MOST_SPARES = 8
    SMALLEST_SPARE = 16384
    LARGEST_SPARE = 262144
    # A join of more bytes than this lets other threads run meanwhile.
    LONG_JOIN = 262144

# Blocks of dropped segments, for the next ones: a busy process opens and drops segments all the time.
cdef Out[MOST_SPARES] _spares
cdef int _spare_count = 0
cdef unsigned long long _buffers_made = 0


cdef struct Slice:
    const uint8_t* data
    size_t size


@cython.final
cdef class Segment:
    """Consecutive spans of one scope, encoded; ``buffer_number`` is its TraceBuffer's while it is open, else 0."""

    cdef Out out
    cdef size_t start
    cdef readonly Py_ssize_t spans
    cdef unsigned long long buffer_number
    cdef readonly object scope

    @property
    def size_bytes(self):
        return self.size()

    cdef inline Py_ssize_t size(self) noexcept:
        return <Py_ssize_t> (self.out.used - self.start)

    def __dealloc__(self):
        global _spare_count
        if _spare_count < MOST_SPARES and SMALLEST_SPARE <= self.out.capacity <= LARGEST_SPARE:
            _spares[_spare_count] = self.out
            _spare_count += 1
        else:
            PyMem_RawFree(self.out.data)

    def pieces(self):
        return [self]

    cdef void shrink(self) noexcept:
        """A single huge span may have made the block much larger than what is in it."""
        cdef uint8_t* data
        if self.out.capacity > LARGEST_SPARE:
            data = <uint8_t*> PyMem_RawRealloc(self.out.data, self.out.used)
            if data != NULL:
                self.out.data = data
                self.out.capacity = self.out.used

    cdef size_t next_span(self, size_t at) noexcept:
        """Where the span that starts at ``at`` ends."""
        cdef size_t size = 0
        cdef int shift = 0
        at += 1
        while True:
            size |= <size_t> (self.out.data[at] & 127) << shift
            shift += 7
            at += 1
            if self.out.data[at - 1] < 128:
                return at + size


cdef Segment new_segment(object scope, size_t capacity):
    global _spare_count
    cdef int i
    cdef Segment segment = Segment.__new__(Segment)
    segment.scope = scope
    for i in range(_spare_count):
        if _spares[i].capacity >= capacity:
            segment.out = _spares[i]
            segment.out.used = 0
            _spare_count -= 1
            _spares[i] = _spares[_spare_count]
            return segment
    segment.out.data = <uint8_t*> PyMem_RawMalloc(capacity)
    if segment.out.data == NULL:
        raise MemoryError
    segment.out.capacity = capacity
    return segment


def join(list pieces):
    """The bytes objects and segments of the list as one bytes object, copied without the GIL when it is long."""
    cdef Segment segment
    cdef Py_ssize_t size = 0
    cdef Py_ssize_t count = len(pieces)
    cdef Py_ssize_t i
    for i in range(count):
        size += (<Segment> pieces[i]).size() if isinstance(pieces[i], Segment) else len(<bytes> pieces[i])
    joined = PyBytes_FromStringAndSize(NULL, size)
    cdef Slice* slices = <Slice*> PyMem_RawMalloc((count + 1) * sizeof(Slice))
    if slices == NULL:
        raise MemoryError
    for i in range(count):
        if isinstance(pieces[i], Segment):
            segment = <Segment> pieces[i]
            slices[i].data = segment.out.data + segment.start
            slices[i].size = segment.size()
        else:
            slices[i].data = <const uint8_t*> PyBytes_AS_STRING(pieces[i])
            slices[i].size = len(<bytes> pieces[i])
    cdef uint8_t* target = <uint8_t*> PyBytes_AS_STRING(joined)
    if size < LONG_JOIN:
        copy(target, slices, count)
    else:
        with nogil:
            copy(target, slices, count)
    PyMem_RawFree(slices)
    return joined


cdef void copy(uint8_t* target, const Slice* slices, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(count):
        memcpy(target, slices[i].data, slices[i].size)
        target += slices[i].size


@cython.final
cdef class TraceBuffer:
    """Encodes each span when it ends, on the thread that ended it, into per-scope segments.

    Ints beyond 64 bits, which OTLP cannot hold, become strings of digits; lone surrogates become "?".
    """

    cdef unsigned long long number
    cdef Py_ssize_t segment_bytes
    cdef Py_ssize_t segment_spans
    cdef object envelope
    # All segments, oldest first, and the open one of each scope (the scope's slot is a short cut to it).
    cdef object segments
    cdef dict open_segments
    cdef readonly Py_ssize_t spans
    cdef readonly Py_ssize_t size_bytes

    def __init__(self, resource_attributes, resource_schema_url=None, segment_bytes=65536, segment_spans=8192):
        global _buffers_made
        _buffers_made += 1
        self.number = _buffers_made
        self.segment_bytes = max(1, segment_bytes)
        self.segment_spans = max(1, segment_spans)
        self.envelope = Envelope(resource_attributes, resource_schema_url)
        self.segments = deque()
        self.open_segments = {}
        self.spans = 0
        self.size_bytes = 0

    def append(self, span):
        """Encodes the span and returns the bytes it took; -1, with nothing changed, if it cannot be encoded."""
        cdef Segment segment
        cdef size_t before, taken
        if not isinstance(span, Span):
            return -1
        try:
            slot = (<Span> span).scope.slot
            if isinstance(slot, Segment) and (<Segment> slot).buffer_number == self.number:
                segment = <Segment> slot
            else:
                segment = self.open_segment((<Span> span).scope)
        except Exception:
            return -1
        before = segment.out.used
        if not put_span(&segment.out, <Span> span):
            segment.out.used = before
            return -1
        taken = segment.out.used - before
        segment.spans += 1
        self.spans += 1
        self.size_bytes += taken
        if <Py_ssize_t> segment.out.used >= self.segment_bytes or segment.spans >= self.segment_spans:
            self.close(segment)
        return taken

    def take(self, Py_ssize_t max_spans, Py_ssize_t max_bytes):
        """Removes and returns the oldest spans, None if there are none.

        Whole segments as long as they fit; the first one is cut if it does not. At least one span, whatever its size.
        """
        cdef list taken = []
        cdef Segment segment
        # Making an object may run the garbage collector, a finaliser and so other threads. Therefore a segment is
        # closed and out of the queue, ours alone, before anything else is done with it.
        while self.segments and max_spans > 0:
            segment = self.segments[0]
            if taken and (segment.spans > max_spans or segment.size() > max_bytes):
                break
            self.close(segment)
            self.segments.popleft()
            self.count(segment, -1)
            if segment.spans > max_spans or segment.size() > max_bytes:
                taken.append(self.cut(segment, max_spans, max_bytes))
                break
            max_spans -= segment.spans
            max_bytes -= segment.size()
            if segment.spans:
                taken.append(segment)
        return Batch(self.envelope, taken, join) if taken else None

    def give_back(self, batch):
        """Puts a batch that was not delivered back at the front. The batch is empty afterwards."""
        cdef list segments = batch.release()
        cdef Segment segment
        self.segments.extendleft(reversed(segments))
        for segment in segments:
            self.count(segment, 1)

    def clear(self):
        """Forgets all spans and returns how many: those in a forked child are the parent's to send."""
        cdef Py_ssize_t dropped = self.spans
        while self.segments:
            self.close(self.segments.popleft())
        self.spans = 0
        self.size_bytes = 0
        return dropped

    cdef Segment open_segment(self, object scope):
        cdef Segment segment = self.open_segments.get(scope)
        if segment is None:
            made = new_segment(scope, FIRST_BLOCK)
            # Making it may have run a finaliser that ended a span of the same scope.
            segment = self.open_segments.get(scope)
            if segment is None:
                segment = made
                segment.buffer_number = self.number
                self.open_segments[scope] = segment
                self.segments.append(segment)
        scope.slot = segment
        return segment

    cdef inline void count(self, Segment segment, int sign) noexcept:
        self.spans += sign * segment.spans
        self.size_bytes += sign * segment.size()

    cdef int close(self, Segment segment) except -1:
        """No more spans go into the segment. The scope lets go of it, or its memory would wait for the next span."""
        if segment.buffer_number == 0:
            return 0
        segment.buffer_number = 0
        self.open_segments.pop(segment.scope, None)
        if segment.scope.slot is segment:
            segment.scope.slot = None
        segment.shrink()
        return 0

    cdef Segment cut(self, Segment segment, Py_ssize_t max_spans, Py_ssize_t max_bytes):
        """The first spans of the segment that fit, at least one, as a segment; the rest goes back to the front."""
        cdef size_t end
        cdef size_t at = segment.start
        cdef Py_ssize_t count = 0
        cdef Segment head
        while count < segment.spans and count < max_spans:
            end = segment.next_span(at)
            if count and <Py_ssize_t> (end - segment.start) > max_bytes:
                break
            at = end
            count += 1
        if count == segment.spans:
            return segment
        head = new_segment(segment.scope, at - segment.start)
        head.out.used = at - segment.start
        memcpy(head.out.data, segment.out.data + segment.start, head.out.used)
        head.spans = count
        segment.start = at
        segment.spans -= count
        self.segments.appendleft(segment)
        self.count(segment, 1)
        return head
