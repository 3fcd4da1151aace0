"""Deadly signals: the program dies of them as it would have, only with its telemetry delivered."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time

import pytest

ONE_SPAN = "fake_pipeline.span(); "
READY = "fake_pipeline.note('ready'); "
WITH_A_SPAN = ONE_SPAN + READY

WAITS = {
    "asleep": "time.sleep(30)",
    "in a pause": "signal.pause(); print('went on')",
    "in select": "select.select([], [], [], 30)",
    "in an event loop": "asyncio.run(asyncio.sleep(30))",
    "in a lock": "threading.Event().wait(30)",
    "at work": "\nwhile True: pass",
    "in a read": "os.read(os.pipe()[0], 1)",
}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("waits", WAITS.values(), ids=WAITS)
def test_a_signal_from_outside_kills_with_everything_delivered(program, number, waits):
    with program.running(WITH_A_SPAN + waits) as process:
        process.send_signal(number)
        assert process.wait(10) == -number
    assert program.delivered() == [1]


def test_a_signal_kills_at_once_where_nothing_waits(program):
    with program.running(ONE_SPAN + "fake_pipeline.pipeline.deliver(0); " + READY + "time.sleep(30)") as process:
        sent_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == -signal.SIGTERM
    assert time.monotonic() - sent_s < 0.5
    assert program.delivered() == [1]


def test_a_delivery_that_does_not_end_ends_with_the_budget(program):
    stuck = "fake_pipeline.process_exit.on_exit(lambda timeout_s: time.sleep(60)); "
    with program.running(stuck + WITH_A_SPAN + "time.sleep(30)", budget_s=0.5) as process:
        sent_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == -signal.SIGTERM
    assert 0.4 < time.monotonic() - sent_s < 1.5


def test_a_main_thread_that_keeps_the_gil_dies_when_the_budget_is_over(program):
    if program.twin == "plain":
        pytest.skip("a Python handler cannot run then; that is what the compiled one is for")
    with program.running(WITH_A_SPAN + "sum(itertools.repeat(1, 10**11))", budget_s=0.5) as process:
        time.sleep(0.2)  # past its last look at the GIL
        sent_s = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == -signal.SIGTERM
    assert 0.4 < time.monotonic() - sent_s < 1.5


def test_a_program_whose_c_call_the_signal_interrupts_still_dies_of_it(program):
    if program.twin == "plain":
        pytest.skip("ctypes goes on in C until the Python handler may run")
    with program.running(WITH_A_SPAN + "ctypes.CDLL(None).sleep(30)") as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == -signal.SIGTERM
    assert program.delivered() == [1]


def test_more_signals_do_not_cut_the_delivery_short(program):
    slow = "fake_pipeline.pipeline.deliveries_take_s = 0.5; "
    with program.running(slow + WITH_A_SPAN + "time.sleep(30)") as process:
        for _ in range(3):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.05)
        assert process.wait(10) == -signal.SIGTERM
    assert program.delivered() == [1]


OWN_HANDLERS = {
    "installed before": "signal.signal(15, lambda *_: sys.exit(7)); " + WITH_A_SPAN + "time.sleep(30)",
    "installed after": ONE_SPAN + "signal.signal(15, lambda *_: sys.exit(7)); " + READY + "time.sleep(30)",
    "of an event loop": """
loop = asyncio.new_event_loop()
loop.add_signal_handler(15, sys.exit, 7)
fake_pipeline.span()
loop.call_soon(fake_pipeline.note, "ready")
loop.run_forever()
""",
}


@pytest.mark.parametrize("code", OWN_HANDLERS.values(), ids=OWN_HANDLERS)
def test_a_handler_of_the_program_wins(program, code):
    with program.running(code) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 7
    assert program.delivered() == [1]


def test_a_handler_taken_away_again_leaves_the_signal_to_us(program):
    on_and_off = "signal.signal(15, print); signal.signal(15, signal.SIG_DFL); "
    with program.running(ONE_SPAN + on_and_off + READY + "time.sleep(30)") as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == -signal.SIGTERM
    assert program.delivered() == [1]


def test_an_ignored_signal_stays_ignored(program):
    ended = program.run("""
        import fake_pipeline, os, signal
        signal.signal(15, signal.SIG_IGN)
        fake_pipeline.span()
        os.kill(os.getpid(), 15)
        print("alive")
    """)
    assert (ended.exit_code, ended.stdout) == (0, "alive\n")
    assert program.delivered() == [1]


def test_the_program_sees_the_dispositions_it_knows(program):
    code = """
        import signal, sys
        if "with" in sys.argv:
            import fake_pipeline
            fake_pipeline.span()
        print([signal.getsignal(number) for number in range(1, 32)])
        print(signal.signal(15, print), signal.getsignal(15), signal.signal(15, signal.SIG_DFL), signal.getsignal(15))
        print(signal.signal(1, signal.SIG_DFL), signal.signal(1, signal.SIG_IGN), signal.getsignal(1))
    """
    assert program.run(code, "with").stdout == program.run(code).stdout


def test_a_server_that_shuts_down_and_raises_its_signal_again_dies_of_it(program):
    """As uvicorn does."""
    code = """
def shut_down(number, _):
    signal.signal(number, before)
    signal.raise_signal(number)
    print("went on")
before = signal.signal(15, shut_down)
fake_pipeline.span()
fake_pipeline.note("ready")
time.sleep(30)
"""
    with program.running(code) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == -signal.SIGTERM
    assert program.delivered() == [1]


def test_a_program_that_waits_for_its_signals_itself_gets_them(program):
    """It blocks them in all its threads, and ours must not be the one that does not."""
    blocked = "signal.pthread_sigmask(signal.SIG_BLOCK, [15]); "
    with program.running(ONE_SPAN + blocked + READY + "sys.exit(signal.sigwait([15]))") as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 15
    assert program.delivered() == [1]


@pytest.mark.parametrize("fork", ["os.fork", "ctypes.PyDLL(None).fork"], ids=["of Python", "of C"])
def test_a_forked_child_with_nothing_to_deliver_dies_of_its_signal_at_once(program, fork):
    ended = program.run(f"""
        import ctypes, fake_pipeline, os, time
        fake_pipeline.span()
        child = {fork}()
        if child == 0:
            time.sleep(30)
        time.sleep(0.2)
        started_s = time.monotonic()
        os.kill(child, 15)
        print(os.waitpid(child, 0)[1], time.monotonic() - started_s < 0.5)
    """)
    assert ended.stdout == "15 True\n"
    assert program.delivered() == [1]


def test_a_child_process_starts_with_the_default_disposition(program):
    ended = program.run("""
        import fake_pipeline, subprocess, sys
        fake_pipeline.span()
        subprocess.run([sys.executable, "-c", "import signal; print(signal.getsignal(15) == signal.SIG_DFL)"])
    """)
    assert ended.stdout == "True\n"


def test_the_first_process_of_a_container_survives_as_it_would_have(program):
    """The kernel drops a deadly signal to a pid 1 that has no handler for it."""
    namespace = [shutil.which("unshare") or "false", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no right to a pid namespace here")
    code = """
import fake_pipeline, os, subprocess, time
fake_pipeline.span()
os.kill(os.getpid(), 15)
time.sleep(0.3)
fake_pipeline.span()
subprocess.run(["sh", "-c", "kill -15 1"])
time.sleep(0.5)
fake_pipeline.span()
print("alive", os.getpid())
"""
    ended = program.run_command(*namespace, sys.executable, "-c", code)
    assert ended.stdout == "alive 1\n"
    assert sum(program.delivered()) == 3
