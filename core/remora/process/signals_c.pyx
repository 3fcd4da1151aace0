# cython: language_level=3, freethreading_compatible=True, binding=False
"""The worker's alarm clock, and a last chance before SIGTERM, SIGHUP or SIGINT kill by default.

A Python signal handler would show in `signal.getsignal` and wait for the main thread; this one is C, below Python's
own. Where the disposition is the default and spans wait, it wakes the worker and starts a kernel timer, which kills by
the same signal when the exit budget is over, whatever holds the GIL by then. Where nothing waits it kills at once.
"""

from remora.process cimport deadly_c as c

if not c.SIGNALS_WORK:
    raise ImportError("no futex or no timers on this platform")

TIMEOUT = 0
WORK = 1
TERMINATING = 2

cdef int _clocks_taken[c.CLOCKS]
cdef double _LONGEST_S = 1e8


cdef class Wakeup:
    """What a worker sleeps on: one thread waits, any may wake it."""

    cdef int clock

    def __cinit__(self):
        cdef int clock
        for clock in range(c.CLOCKS):
            if not _clocks_taken[clock]:
                _clocks_taken[clock] = 1
                self.clock = clock
                c.clocks[clock] = 0
                return
        self.clock = -1
        raise RuntimeError("too many sleepers")

    def __dealloc__(self):
        if self.clock >= 0:
            _clocks_taken[self.clock] = 0

    def wait(self, double timeout_s):
        """Sleep without the GIL, at most ``timeout_s`` by the monotonic clock: TIMEOUT, WORK or TERMINATING."""
        cdef c.int64_t timeout_ns = <c.int64_t>(min(max(timeout_s, 0.0), _LONGEST_S) * 1e9)
        cdef int why
        with nogil:
            why = c.wait(self.clock, timeout_ns)
        return why

    def wake(self):
        """End the wait now, or the next one at once; cheap, and allowed in signal handlers."""
        c.wake(self.clock)

    def reset(self):
        """In a forked child: nobody sleeps here any more, and nobody was woken."""
        c.clocks[self.clock] = 0


def prepare():
    """At boot; nothing to do before the first span."""


def arm():
    """For the worker, at its start and whenever it wakes: from now on, until ``forget``, somebody waits for TERMINATING
    and calls ``die``. Takes over the signals whose disposition is the default.
    """
    c.arm()


def disarm(int signal_number):
    """Back to the default disposition, if it is ours: the signal kills at once."""
    c.default(signal_number)


def armed_again():
    """The program has set a signal to default: take it over if we had it."""
    if c.is_armed():
        c.arm()


def hides(object handler):
    """Is that Python-level handler ours? There is none."""
    return False


def pending():
    """What ``set_pending`` said last."""
    return c.pending


cpdef void set_pending(int count) noexcept nogil:
    """How much waits to be delivered; with 0 a deadly signal kills at once."""
    c.pending = count


def set_budget(double budget_s):
    """How long a dying process may take, from the signal on."""
    c.budget_ms = <long>(budget_s * 1000)


def terminating():
    """The signal that is about to kill this process, or 0."""
    return c.terminating


def remaining_s():
    """What is left of the budget since the signal came."""
    if not c.terminating:
        return c.budget_ms / 1000.0
    return max(0.0, c.budget_ms / 1000.0 - (c.now_ns() - c.received_ns) / 1e9)


def die():
    """Die by the signal that came. Returns where it does not kill: none came, or the process is a container's pid 1."""
    cdef int signal_number = c.terminating
    if signal_number:
        c.end_by(signal_number)


def forget():
    """In a forked child: no worker, nothing pending, no signal on its way."""
    c.forget()
