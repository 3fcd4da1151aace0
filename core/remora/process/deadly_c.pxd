# cython: language_level=3
"""The C below signals_c.pyx: a handler for deadly signals, kernel timers, and futexes to sleep on.

Included by that module alone: the state is its own.
All that the handler calls is async-signal-safe. Timers are not inherited by fork, and neither is the ownership (a pid)
without which the handler does no more than the default disposition.
"""

cdef extern from *:
    """
    #if defined(__linux__)
    #include <errno.h>
    #include <linux/futex.h>
    #include <pthread.h>
    #include <signal.h>
    #include <stdint.h>
    #include <string.h>
    #include <sys/syscall.h>
    #include <time.h>
    #include <unistd.h>

    #if defined(SYS_futex) && defined(SYS_timer_create) && defined(SYS_timer_settime)
    #define REMORA_SIGNALS_WORK 1
    #endif
    #endif

    #define REMORA_CLOCKS 16  /* how many workers may sleep */

    #ifdef REMORA_SIGNALS_WORK

    enum { REMORA_QUIET = 0, REMORA_WOKEN = 1, REMORA_ASLEEP = 2 };

    static const int remora_watched[] = {SIGTERM, SIGHUP, SIGINT};
    #define REMORA_WATCHED ((int)(sizeof(remora_watched) / sizeof(remora_watched[0])))
    #define REMORA_GRACE_MS 100  /* the worker's own end comes first */

    static uint32_t remora_clocks[REMORA_CLOCKS];
    static volatile int remora_pending = 0;
    static volatile int remora_terminating = 0;  /* the signal */
    static volatile int64_t remora_received_ns = 0;
    static volatile long remora_budget_ms = 2000;
    static volatile pid_t remora_owner = 0;  /* whose worker waits; 0 is nobody */
    static int remora_timers[REMORA_WATCHED];
    static int remora_timer_made[REMORA_WATCHED];

    static int64_t remora_now_ns(void) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    }

    static void remora_wake(int clock) {
        if (__atomic_exchange_n(&remora_clocks[clock], REMORA_WOKEN, __ATOMIC_SEQ_CST) == REMORA_ASLEEP)
            syscall(SYS_futex, &remora_clocks[clock], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }

    static void remora_handler(int signal_number, siginfo_t *info, void *context);

    static int remora_is_ours(int signal_number) {
        struct sigaction current;
        return sigaction(signal_number, NULL, &current) == 0 && (current.sa_flags & SA_SIGINFO)
            && current.sa_sigaction == remora_handler;
    }

    static void remora_default(int signal_number) {
        struct sigaction dies;
        memset(&dies, 0, sizeof dies);
        dies.sa_handler = SIG_DFL;
        sigemptyset(&dies.sa_mask);
        if (remora_is_ours(signal_number)) sigaction(signal_number, &dies, NULL);
    }

    /* Returns only in a process that the signal does not kill: pid 1 of a container, or one whose own handler came. */
    static void remora_end_by(int signal_number) {
        sigset_t this_one;
        remora_default(signal_number);
        remora_terminating = 0;
        kill(getpid(), signal_number);
        sigemptyset(&this_one);
        sigaddset(&this_one, signal_number);
        pthread_sigmask(SIG_UNBLOCK, &this_one, NULL);
    }

    static void remora_handler(int signal_number, siginfo_t *info, void *context) {
        int saved_errno = errno, i, expected = 0;
        (void)context;
        if (!remora_terminating) remora_received_ns = remora_now_ns();
        if (info && info->si_code == SI_TIMER && info->si_value.sival_ptr == (void *)remora_timers) {
            if (remora_terminating) remora_end_by(remora_terminating);
        } else if (getpid() != remora_owner || !remora_pending) {
            remora_end_by(signal_number);
        } else if (__atomic_compare_exchange_n(&remora_terminating, &expected, signal_number, 0,
                                               __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            long limit_ms = remora_budget_ms + REMORA_GRACE_MS;
            long once[4] = {0, 0, limit_ms / 1000, limit_ms % 1000 * 1000000};
            for (i = 0; i < REMORA_WATCHED && remora_watched[i] != signal_number; i++) {}
            if (i == REMORA_WATCHED || syscall(SYS_timer_settime, remora_timers[i], 0, once, NULL) != 0)
                remora_end_by(signal_number);  /* no telemetry is worth a process that cannot be stopped */
            for (i = 0; i < REMORA_CLOCKS; i++) remora_wake(i);
        }
        errno = saved_errno;
    }

    static int remora_make_timer(int i) {
        struct sigevent event;
        memset(&event, 0, sizeof event);
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = remora_watched[i];
        event.sigev_value.sival_ptr = (void *)remora_timers;
        if (!remora_timer_made[i])
            remora_timer_made[i] = syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &remora_timers[i]) == 0;
        return remora_timer_made[i];
    }

    static void remora_forget(void) {  /* in a forked child, which has neither worker nor timers */
        int i;
        remora_owner = 0;
        remora_pending = 0;
        remora_terminating = 0;
        for (i = 0; i < REMORA_WATCHED; i++) remora_timer_made[i] = 0;
    }

    static void remora_arm(void) {
        struct sigaction current, ours;
        int i;
        memset(&ours, 0, sizeof ours);
        ours.sa_sigaction = remora_handler;
        ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
        sigemptyset(&ours.sa_mask);
        if (remora_owner != getpid()) {
            for (i = 0; i < REMORA_WATCHED; i++) remora_timer_made[i] = 0;
            remora_owner = getpid();
        }
        for (i = 0; i < REMORA_WATCHED; i++) {
            if (sigaction(remora_watched[i], NULL, &current) != 0) continue;
            if (current.sa_handler == SIG_DFL && remora_make_timer(i)) sigaction(remora_watched[i], &ours, NULL);
        }
    }

    static int remora_is_armed(void) { return remora_owner == getpid(); }

    static int remora_wait(int clock, int64_t timeout_ns) {
        uint32_t *word = &remora_clocks[clock], expected;
        int64_t end_ns = remora_now_ns() + timeout_ns, left_ns;
        for (;;) {
            int woken = __atomic_exchange_n(word, REMORA_QUIET, __ATOMIC_SEQ_CST) == REMORA_WOKEN;
            if (remora_terminating && remora_owner == getpid()) return 2;
            if (woken) return 1;
            left_ns = end_ns - remora_now_ns();
            if (left_ns <= 0) return 0;
            expected = REMORA_QUIET;
            if (__atomic_compare_exchange_n(word, &expected, REMORA_ASLEEP, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
                long left[2] = {(long)(left_ns / 1000000000), (long)(left_ns % 1000000000)};
                syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, REMORA_ASLEEP, left, NULL, 0);
            }
        }
    }

    #else  /* the plain twin serves; this one compiles, so that the rest of the compiled core is kept */
    #define REMORA_SIGNALS_WORK 0
    #include <stdint.h>
    static uint32_t remora_clocks[REMORA_CLOCKS];
    static volatile int remora_pending, remora_terminating;
    static volatile int64_t remora_received_ns;
    static volatile long remora_budget_ms;
    static int64_t remora_now_ns(void) { return 0; }
    static void remora_wake(int clock) { (void)clock; }
    static void remora_default(int signal_number) { (void)signal_number; }
    static void remora_end_by(int signal_number) { (void)signal_number; }
    static void remora_forget(void) {}
    static void remora_arm(void) {}
    static int remora_is_armed(void) { return 0; }
    static int remora_wait(int clock, int64_t timeout_ns) { (void)clock; (void)timeout_ns; return 0; }
    #endif
    """
    ctypedef long long int64_t
    const int SIGNALS_WORK "REMORA_SIGNALS_WORK"
    enum:
        CLOCKS "REMORA_CLOCKS"
    unsigned int clocks "remora_clocks"[]
    int pending "remora_pending"
    int terminating "remora_terminating"
    int64_t received_ns "remora_received_ns"
    long budget_ms "remora_budget_ms"
    int64_t now_ns "remora_now_ns"() noexcept nogil
    void wake "remora_wake"(int clock) noexcept nogil
    int wait "remora_wait"(int clock, int64_t timeout_ns) noexcept nogil
    void arm "remora_arm"() noexcept nogil
    bint is_armed "remora_is_armed"() noexcept nogil
    void default "remora_default"(int signal_number) noexcept nogil
    void end_by "remora_end_by"(int signal_number) noexcept nogil
    void forget "remora_forget"() noexcept nogil
