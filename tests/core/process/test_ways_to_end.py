"""Whichever way a process ends, what waits is delivered once, and its parent sees the end it would have seen."""

from __future__ import annotations

import pytest

ENDS = {
    "the script returns": ("pass", 0),
    "an exception": ("raise RuntimeError('its own')", 1),
    "sys.exit": ("sys.exit(3)", 3),
    "os._exit": ("os._exit(4)", 4),
    "os._exit held by a class": ("type('Holder', (), {'leave': os._exit})().leave(5)", 5),
    "KeyboardInterrupt": ("os.kill(os.getpid(), signal.SIGINT); time.sleep(5)", -2),
    "SIGINT set to its default": ("signal.signal(2, signal.SIG_DFL); os.kill(os.getpid(), 2)", -2),
    "SIGTERM to itself": ("os.kill(os.getpid(), signal.SIGTERM)", -15),
    "SIGTERM raised": ("signal.raise_signal(signal.SIGTERM)", -15),
    "SIGHUP to itself": ("os.kill(os.getpid(), signal.SIGHUP)", -1),
    "SIGUSR1 to itself": ("os.kill(os.getpid(), signal.SIGUSR1)", -10),
    "SIGKILL to itself": ("os.kill(os.getpid(), signal.SIGKILL)", -9),
    "abort": ("os.abort()", -6),
    "a daemon thread still running": ("threading.Thread(target=time.sleep, args=(60,), daemon=True).start()", 0),
    "a thread that outlives the main one": ("threading.Timer(0.2, fake_pipeline.span).start()", 0),
    "exec": ("os.execv(sys.executable, [sys.executable, '-c', 'raise SystemExit(6)'])", 6),
    "exec by a search along PATH": ("os.execlp('sh', 'sh', '-c', 'exit 7')", 7),
    "exec with an environment": ("os.execve('/bin/sh', ['sh', '-c', 'exit $CODE'], {'CODE': '8'})", 8),
}


@pytest.mark.parametrize(("statement", "exit_code"), ENDS.values(), ids=ENDS)
def test_everything_is_delivered_once_however_the_program_ends(program, statement, exit_code):
    ended = program.run(f"import fake_pipeline, os, signal, sys, threading, time\nfake_pipeline.span()\n{statement}")
    assert ended.exit_code == exit_code
    assert len(program.delivered()) == 1
    assert sum(program.delivered()) == (2 if "fake_pipeline.span" in statement else 1)


def test_delivery_comes_after_the_exit_handlers_of_the_program(program):
    ended = program.run("import fake_pipeline, atexit; atexit.register(fake_pipeline.span)")
    assert ended.exit_code == 0
    assert program.delivered() == [1]


def test_nothing_waiting_costs_a_child_between_fork_and_exit_nothing(program):
    program.run("""
        import fake_pipeline, os
        fake_pipeline.span()
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
    """)
    assert program.delivered() == [1]


def test_what_comes_after_a_delivery_is_delivered_too(program):
    program.run("""
        import atexit, os
        atexit.register(lambda: (fake_pipeline.span(), os._exit(3)))  # runs behind ours
        import fake_pipeline
        fake_pipeline.span()
    """)
    assert program.delivered() == [1, 1]


def test_a_process_whose_exec_fails_lives_on_and_so_does_its_telemetry(program):
    ended = program.run("""
        import fake_pipeline, os
        fake_pipeline.span()
        for attempt in (
            lambda: os.execv("/nowhere", ["x"]),
            lambda: os.execv("/etc/passwd", ["x"]),
            lambda: os.execvp("no-such-command", ["x"]),
            lambda: os.execve("/bin/sh", ["x"], None),
            lambda: os.execv("/bin/sh", []),
        ):
            try:
                attempt()
            except Exception as fault:
                print(type(fault).__name__, fault)
        fake_pipeline.span()
    """)
    assert ended.stdout.splitlines() == [
        "FileNotFoundError [Errno 2] No such file or directory",
        "PermissionError [Errno 13] Permission denied",
        "FileNotFoundError [Errno 2] No such file or directory",
        "TypeError execve: environment must be a mapping object",
        "ValueError execv() arg 2 must not be empty",
    ]
    assert sum(program.delivered()) == 2


def test_an_end_from_a_signal_handler_during_delivery_is_neither_stuck_nor_delivered_twice(program):
    ended = program.run("""
        import fake_pipeline, os, signal
        signal.signal(signal.SIGALRM, lambda *_: os._exit(9))
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        fake_pipeline.pipeline.deliveries_take_s = 1
        fake_pipeline.span()
    """)
    assert ended.exit_code == 9
    assert len(program.delivered()) <= 1
    assert ended.duration_s < 2


def test_two_threads_that_end_the_process_deliver_once(program):
    ended = program.run("""
        import fake_pipeline, os, threading
        fake_pipeline.pipeline.deliveries_take_s = 0.3
        fake_pipeline.span()
        threading.Thread(target=os._exit, args=(5,)).start()
        os._exit(5)
    """)
    assert ended.exit_code == 5
    assert program.delivered() == [1]


def test_a_delivery_that_fails_is_not_heard_of_by_the_program(program):
    ended = program.run("""
        import fake_pipeline
        from remora.process import exit as process_exit
        def fails(timeout_s):
            raise RuntimeError("ours")
        process_exit.on_exit(fails)
        fake_pipeline.span()
    """)
    assert (ended.exit_code, ended.stdout, ended.stderr) == (0, "", "")
    assert program.delivered() == [1]


def test_ctrl_c_during_the_delivery_at_exit_ends_it_quietly(program):
    ended = program.run("""
        import fake_pipeline, signal
        fake_pipeline.pipeline.deliveries_take_s = 2
        fake_pipeline.span()
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
    """)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.duration_s < 1.5


def test_the_functions_stood_in_for_look_and_pickle_as_before(program):
    code = """
        import inspect, os, pickle, signal, sys
        if "with" in sys.argv:
            import fake_pipeline
            import remora.process.fork
            remora.process.fork.around_fork(int, int)
        for function in (os._exit, os.abort, os.execv, os.execve, os.kill, os.fork, os.forkpty,
                         signal.raise_signal, signal.pause, signal.signal, signal.getsignal):
            print(function.__name__, function.__module__, function.__qualname__, function.__doc__,
                  inspect.signature(function), pickle.loads(pickle.dumps(function)) == function)
    """
    assert program.run(code, "with").stdout == program.run(code).stdout


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_deliver_what_they_have(program, tmp_path, method):
    script = tmp_path / "script.py"
    script.write_text(f"""
import multiprocessing, os
import fake_pipeline
def work(leave):
    fake_pipeline.span()
    if leave:
        os._exit(leave)
if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    children = [context.Process(target=work, args=(leave,)) for leave in (0, 3)]
    for child in children: child.start()
    for child in children: child.join()
    print([child.exitcode for child in children])
    with context.Pool(1) as pool:
        pool.apply(work, (0,))
        pool.close()
        pool.join()
""")
    ended = program.run_script(script)
    assert ended.stdout == "[0, 3]\n"
    assert [count for count in program.delivered() if count] == [1, 1, 1]
    assert len(set(program.delivering_pids())) == len(program.delivering_pids())


def test_children_that_multiprocessing_terminates_deliver_what_they_have(program, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("""
import multiprocessing, time
import fake_pipeline
def work(ready):
    fake_pipeline.span()
    ready.set()
    time.sleep(60)
if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    child = context.Process(target=work, args=(ready,))
    child.start()
    ready.wait()
    child.terminate()
    child.join()
    print(child.exitcode)
""")
    ended = program.run_script(script)
    assert ended.stdout == "-15\n"
    assert sum(program.delivered()) == 1
