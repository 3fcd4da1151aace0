"""The `remora` script itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

import remora
from remora.cli.main import COMMANDS, main
from support.processes import environment, run, run_python

NAMES = [name for name, _, _ in COMMANDS]


def test_help_lists_every_command_on_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in NAMES:
        assert [line for line in lines if line.split()[:1] == [name]], name


def test_without_a_command_it_helps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("usage: remora COMMAND")


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"remora {remora.__version__}\n"


def test_a_misspelled_command_is_answered_with_the_one_that_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docter"]) == 2
    assert capsys.readouterr().err == "remora: 'docter' is no command; did you mean `remora doctor`?\n"


def test_an_unknown_command_is_answered_with_all_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zzz\x1b[31m"]) == 2
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert all(name in said for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: remora {name}")


def test_python_m_remora_is_the_same_as_the_script() -> None:
    done = run([sys.executable, "-m", "remora", "--version"], launched=False)
    assert (done.stdout, done.stderr, done.exit_code) == (f"remora {remora.__version__}\n", "", 0)


def test_remora_run_loads_nothing_of_what_the_other_commands_need() -> None:
    done = run_python(
        """
        import sys
        from remora.cli.main import main
        main(["run", "--print-env"])
        print([name for name in ("rich", "click", "psutil", "opentelemetry", "remora.store") if name in sys.modules])
        """,
        launched=False,
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


@pytest.mark.parametrize("words", [["env", "--json"], ["env"], ["plugins"], ["show"], ["show", "--help"], ["--help"]])
def test_a_reader_that_has_seen_enough_is_no_error(words: list[str]) -> None:
    reader = subprocess.Popen(
        [sys.executable, "-m", "remora", *words],
        env=environment(launched=False),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert reader.stdout is not None
    assert reader.stderr is not None
    reader.stdout.close()
    with reader.stderr as errors:
        assert errors.read() == b""
    assert reader.wait(20) == 141


def _shell(line: str) -> subprocess.CompletedProcess[str]:
    python = f"{sys.executable} -m remora"
    return subprocess.run(
        ["/bin/sh", "-c", line.format(remora=python)], env=environment(launched=False), capture_output=True, text=True
    )


COMMANDS_THAT_PRINT = [
    "--help",
    "--version",
    "env",
    "env --json",
    "show",
    "plugins",
    "plugins --json",
    "run --print-env",
]


@pytest.mark.parametrize("words", COMMANDS_THAT_PRINT)
def test_a_full_disk_is_told_in_one_line(words: str) -> None:
    done = _shell(f"{{remora}} {words} >/dev/full")
    assert done.stderr == "remora: cannot write the output: no space left on device\n"
    assert done.returncode == 1


@pytest.mark.parametrize("words", COMMANDS_THAT_PRINT)
def test_a_closed_stdout_is_told_in_one_line(words: str) -> None:
    done = _shell(f"{{remora}} {words} >&-")
    assert done.stderr == "remora: cannot write the output: stdout is closed\n"
    assert done.returncode == 1


def test_a_program_runs_without_a_stdout() -> None:
    done = _shell(f"{{remora}} run {sys.executable} -c 'import sys; sys.exit(7 if sys.stdout is None else 8)' >&-")
    assert (done.returncode, done.stderr) == (7, "")


def test_without_stdout_and_stderr_it_still_ends_with_its_code() -> None:
    assert _shell("{remora} show >&- 2>&-").returncode == 1
