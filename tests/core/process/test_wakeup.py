"""What the worker sleeps on, compiled and plain."""

from __future__ import annotations

import importlib
import importlib.util
import threading
import time

import pytest


@pytest.fixture(params=["signals_c", "signals_plain"])
def signals(request):
    if importlib.util.find_spec(f"remora.process.{request.param}") is None:
        pytest.skip(f"{request.param} is not compiled here")
    return importlib.import_module(f"remora.process.{request.param}")


def test_a_sleeper_sleeps_as_long_as_it_was_told(signals):
    started_s = time.monotonic()
    assert signals.Wakeup().wait(0.1) == signals.TIMEOUT
    assert 0.09 < time.monotonic() - started_s < 1


def test_a_sleeper_is_woken_by_another_thread(signals):
    wakeup = signals.Wakeup()
    threading.Timer(0.1, wakeup.wake).start()
    started_s = time.monotonic()
    assert wakeup.wait(10) == signals.WORK
    assert time.monotonic() - started_s < 5


def test_a_call_ahead_of_the_sleep_ends_it_once(signals):
    wakeup = signals.Wakeup()
    wakeup.wake()
    wakeup.wake()
    assert wakeup.wait(10) == signals.WORK
    assert wakeup.wait(0) == signals.TIMEOUT


def test_no_call_is_lost_between_threads(signals):
    to_there, to_here = signals.Wakeup(), signals.Wakeup()
    rounds = 2000

    def answer():
        for _ in range(rounds):
            assert to_there.wait(10) == signals.WORK
            to_here.wake()

    there = threading.Thread(target=answer)
    there.start()
    for _ in range(rounds):
        to_there.wake()
        assert to_here.wait(10) == signals.WORK
    there.join(10)
    assert not there.is_alive()


def test_a_reset_forgets_the_call(signals):
    wakeup = signals.Wakeup()
    wakeup.wake()
    wakeup.reset()
    assert wakeup.wait(0) == signals.TIMEOUT


def test_sleepers_may_come_and_go(signals):
    for _ in range(100):
        wakeup = signals.Wakeup()
        wakeup.wake()
        assert wakeup.wait(0) == signals.WORK


@pytest.mark.parametrize("timeout_s", [-1.0, 0.0])
def test_no_time_is_no_sleep(signals, timeout_s):
    assert signals.Wakeup().wait(timeout_s) == signals.TIMEOUT


def test_the_rest_of_the_house_gets_the_twin_for_this_platform():
    from remora.process import signals as chosen

    surface = [name for name in vars(chosen) if name.islower() and callable(getattr(chosen, name))]
    assert {"arm", "die", "set_pending", "terminating", "remaining_s"} <= set(surface)
    for twin in ("signals_c", "signals_plain"):
        if importlib.util.find_spec(f"remora.process.{twin}"):
            module = importlib.import_module(f"remora.process.{twin}")
            assert [name for name in surface if not hasattr(module, name)] == []
