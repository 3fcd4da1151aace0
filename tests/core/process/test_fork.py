"""What runs when the process becomes two."""

from __future__ import annotations

import pytest


def test_callbacks_run_in_the_child_in_order_and_one_that_fails_harms_no_other(program):
    ended = program.run("""
        import os, sys
        from remora.process import fork
        fork.on_fork_child(lambda: print("first"))
        fork.on_fork_child(lambda: 1 / 0)
        fork.on_fork_child(lambda: print("second"))
        if os.fork() == 0:
            print("child", fork.is_child(), fork.forked(), flush=True)
            os._exit(0)
        os.wait()
        print("parent", fork.is_child(), fork.forked())
    """)
    assert ended.stderr == ""
    assert ended.stdout.splitlines() == ["first", "second", "child True False", "parent False False"]


def test_what_surrounds_a_fork_runs_in_the_parent_on_both_sides_of_it(program):
    ended = program.run("""
        import os
        from remora.process import fork
        fork.around_fork(lambda: print("before", flush=True), lambda: print("behind", flush=True))
        if os.fork() == 0:
            os._exit(0)
        os.wait()
    """)
    assert ended.stdout.splitlines() == ["before", "behind"]


def test_a_function_that_somebody_puts_around_ours_afterwards_is_called_once(program):
    """As gevent does; what it puts there calls what it found there."""
    ended = program.run("""
        import os
        from remora.process import fork
        fork.around_fork(lambda: print("before", flush=True), lambda: print("behind", flush=True))
        found = os.fork
        def theirs():
            print("theirs", flush=True)
            return found()
        os.fork = theirs
        if os.fork() == 0:
            os._exit(0)
        os.wait()
    """)
    assert ended.stderr == ""
    assert ended.stdout.splitlines() == ["theirs", "before", "behind"]


FORKS = {
    "os.fork": "os.fork() or os._exit(0)",
    "os.forkpty": "os.forkpty()[0] or os._exit(0)",
    "multiprocessing": "multiprocessing.get_context('fork').Process(target=int).start()",
    "subprocess with a preexec_fn": "subprocess.run(['true'], preexec_fn=int)",
}


@pytest.mark.parametrize("forks", FORKS.values(), ids=FORKS)
def test_a_thread_of_ours_can_step_aside_so_that_python_does_not_warn_of_the_fork(program, forks):
    """From 3.12 on it would, and a program with `-W error` would fail."""
    ended = program.run(f"""
        import multiprocessing, os, subprocess, warnings
        from remora.process import fork, signals, threads
        warnings.simplefilter("error", DeprecationWarning)
        wakeup, lives = signals.Wakeup(), []
        def live():
            wakeup.wait(60)
            lives.clear()
        def start():
            lives.append(True)
            threads.start_hidden(live)
        def let_go():
            wakeup.wake()
            while lives:
                threads.breathe()
        fork.around_fork(let_go, start)
        start()
        {forks}
        print("lives on", lives, flush=True)
        os._exit(0)
    """)
    assert (ended.stdout, ended.stderr) == ("lives on [True]\n", "")


def test_a_fork_that_fails_leaves_the_parent_as_it_was(program):
    ended = program.run("""
        import os, resource
        from remora.process import fork
        fork.around_fork(lambda: print("before"), lambda: print("behind"))
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        os.setuid(65534)
        try:
            os.fork()
        except BlockingIOError:
            print("no fork")
    """)
    if "Operation not permitted" in ended.stderr:
        pytest.skip("only root can give up the right to fork here")
    assert ended.stdout.splitlines() == ["before", "behind", "no fork"]


def test_a_fork_behind_pythons_back_is_found_out_at_the_next_question(program):
    ended = program.run("""
        import ctypes, os
        from remora.process import fork
        fork.on_fork_child(lambda: print("renewed", flush=True))
        if ctypes.PyDLL(None).fork() == 0:
            print(fork.forked(), fork.forked(), fork.is_child(), flush=True)
            os._exit(0)
        os.wait()
    """)
    assert ended.stdout.splitlines() == ["renewed", "True False True"]


def test_grandchildren_are_children_too(program):
    ended = program.run("""
        import os
        from remora.process import fork
        fork.on_fork_child(lambda: print("renewed", flush=True))
        if os.fork() == 0:
            if os.fork() == 0:
                print(fork.is_child(), flush=True)
                os._exit(0)
            os.wait()
            os._exit(0)
        os.wait()
    """)
    assert ended.stdout.splitlines() == ["renewed", "renewed", "True"]
