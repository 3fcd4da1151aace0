"""One line per cause on stderr, and never anything that the host program could notice."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from remora import diagnostics
from support.processes import run_python

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def fresh_voice(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(diagnostics, "spoken", {})
    monkeypatch.setattr(diagnostics, "journal", [])
    yield
    diagnostics.listen_from("info")


def said(capfd: pytest.CaptureFixture[str]) -> list[str]:
    captured = capfd.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


def test_a_cause_is_told_once(capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        diagnostics.say("collector", "collector unreachable")
    diagnostics.say("other", "something else")
    assert said(capfd) == ["remora: collector unreachable", "remora: something else"]
    assert diagnostics.spoken["collector"].times == 3


def test_a_cause_with_a_pause_comes_back_with_the_number_of_times_it_kept_quiet(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 100.0
    monkeypatch.setattr(diagnostics.time, "monotonic", lambda: now_s)
    diagnostics.say("drops", "1 dropped", every_s=60)
    diagnostics.say("drops", "2 dropped", every_s=60)
    now_s = 159.0
    diagnostics.say("drops", "3 dropped", every_s=60)
    now_s = 160.0
    diagnostics.say("drops", "4 dropped", every_s=60)
    diagnostics.say("drops", "5 dropped", every_s=60)
    assert said(capfd) == ["remora: 1 dropped", "remora: 4 dropped (2 more since the last such line)"]


@pytest.mark.parametrize(
    ("listening", "heard"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
        ("none", []),
    ],
)
def test_less_severe_than_asked_for_is_not_said(
    listening: str, heard: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    diagnostics.listen_from(listening)
    for level in ("debug", "info", "warning", "error"):
        diagnostics.say(level, level, level=level)
    assert said(capfd) == [f"remora: {level}" for level in heard]


def test_a_message_is_one_line_of_bounded_length_whatever_is_in_it(capfd: pytest.CaptureFixture[str]) -> None:
    diagnostics.say("lines", "first\nsecond\r\n\tthird")
    diagnostics.say("surrogate", "bad \udcff byte")
    diagnostics.say("long", "x" * 100_000)
    first, second, third = said(capfd)
    assert first == "remora: first second third"
    assert second == "remora: bad \\udcff byte"
    assert len(third) < 4096


def test_causes_without_end_take_no_memory_without_end(capfd: pytest.CaptureFixture[str]) -> None:
    for number in range(5000):
        diagnostics.say(f"cause {number}", "again")
    assert len(diagnostics.spoken) < 1000
    assert len(said(capfd)) < 1000


def test_threads_that_meet_the_same_trouble_tell_it_once(capfd: pytest.CaptureFixture[str]) -> None:
    together = threading.Barrier(8)

    def trouble() -> None:
        together.wait()
        for number in range(50):
            diagnostics.say(f"cause {number}", f"trouble {number}")

    threads = [threading.Thread(target=trouble) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said(capfd)) == sorted(f"remora: trouble {number}" for number in range(50))


def test_a_closed_or_full_stderr_is_no_reason_to_raise() -> None:
    finished = run_python(
        """
        import os
        from remora import diagnostics

        os.close(2)
        diagnostics.say("closed", "nobody hears")
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        try:
            while True:
                os.write(writing, b"x" * 65536)
        except BlockingIOError:
            pass
        os.dup2(writing, 2)
        diagnostics.say("full", "nobody hears")
        print("went on")
        """,
        launched=False,
    )
    assert (finished.stdout, finished.exit_code) == ("went on\n", 0)


def test_a_program_started_without_stderr_does_not_get_our_lines_into_its_files() -> None:
    finished = run_python(
        """
        import os, subprocess, sys, tempfile

        program = '''
        import os, sys
        taken = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
        from remora import diagnostics
        diagnostics.say("stray", "not into data")
        print(taken)
        '''
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "data")
            program = "\\n".join(line.strip() for line in program.splitlines())
            command = [sys.executable, "-c", program, path]
            shell = ["sh", "-c", 'exec "$@" 2>&-', "sh", *command]
            print(subprocess.run(shell, stdout=subprocess.PIPE, text=True).stdout.strip(), os.path.getsize(path))
        """,
        launched=False,
    )
    assert finished.stdout == "2 0\n"


def test_a_child_process_does_not_repeat_its_parent() -> None:
    finished = run_python(
        """
        import os
        from remora import diagnostics

        diagnostics.say("cause", "said by the parent")
        child = os.fork()
        if child == 0:
            diagnostics.say("cause", "said by the child")
            diagnostics.say("another", "new to the child")
            os._exit(0)
        os.waitpid(child, 0)
        """,
        launched=False,
    )
    assert finished.stderr.splitlines() == ["remora: said by the parent", "remora: new to the child"]


def test_what_goes_wrong_in_guarded_code_is_told_by_type_and_place_and_goes_no_further(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def faulty(number: int) -> int:
        return number // 0 if number else int("sesame")

    guarded = diagnostics.guarded("plugin x", faulty)
    assert guarded(1) is None
    assert guarded(0) is None
    (line,) = said(capfd)
    assert line.startswith("remora: plugin x: ZeroDivisionError at ")
    assert __file__ in line
    assert diagnostics.guarded("fine", lambda: 7)() == 7


def test_a_fault_quotes_the_program_s_data_only_for_those_who_debug(capfd: pytest.CaptureFixture[str]) -> None:
    diagnostics.guarded("quiet", int)("sesame")
    assert "sesame" not in "".join(said(capfd))
    diagnostics.listen_from("debug")
    diagnostics.guarded("loud", int)("sesame")
    assert "sesame" in "".join(said(capfd))


def test_an_exception_that_cannot_be_printed_is_told_all_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    class UnprintableError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    def faulty() -> None:
        raise UnprintableError

    diagnostics.listen_from("debug")
    diagnostics.guarded("mute", faulty)()
    assert said(capfd)[0].startswith("remora: mute: UnprintableError at ")


@pytest.mark.parametrize("passing", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_belongs_to_the_host_passes_through_guarded_code(passing: type[BaseException]) -> None:
    def interrupted() -> None:
        raise passing

    with pytest.raises(passing):
        diagnostics.guarded("guard", interrupted)()


def test_decisions_are_kept_in_order_and_the_oldest_make_room() -> None:
    for number in range(10_000):
        diagnostics.decided(f"library {number}", "patched", "in range")
    assert len(diagnostics.journal) < 5000
    last = diagnostics.journal[-1]
    assert (last.subject, last.decision, last.reason) == ("library 9999", "patched", "in range")
    assert repr(last) == "library 9999: patched (in range)"


def test_our_voice_needs_no_module_that_the_interpreter_has_not_loaded_anyway() -> None:
    finished = run_python(
        """
        import sys
        before = set(sys.modules)
        import remora.diagnostics, remora.settings
        print(sorted(name for name in set(sys.modules) - before if not name.startswith("remora")))
        """,
        launched=False,
    )
    assert finished.stdout.strip() in ("[]", "['__future__']")


def test_every_line_is_one_write_so_that_lines_of_processes_do_not_mix(monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[bytes] = []
    monkeypatch.setattr(os, "write", lambda descriptor, line: writes.append((descriptor, line)))
    diagnostics.say("whole", "a line")
    assert writes == [(2, b"remora: a line\n")]
    assert sys.__stderr__ is not None
