"""`remora run CMD`: the command runs as if typed without us, only with the agent started in its Pythons."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.processes import environment, running, wait_until

PYTHON = sys.executable
TELLS = "import os, sys; print(os.getpid(), sys.argv[1:])"


@pytest.fixture
def script(tmp_path):
    """Writes a program file."""

    def write(name, text, mode=0o644):
        path = tmp_path / name
        path.write_text(text)
        path.chmod(mode)
        return path

    return write


COMMANDS = {
    "python x.py": lambda script: [PYTHON, script("x.py", TELLS)],
    "python -m": lambda script: [PYTHON, "-m", script("tells.py", TELLS).stem],
    "python -c": lambda _: [PYTHON, "-c", TELLS],
    "x.py": lambda script: [script("x.py", TELLS)],
    "x.py of the working directory": lambda script: [script("x.py", TELLS).name],
    "x.py that is executable": lambda script: [script("x.py", f"#!{PYTHON}\n{TELLS}", 0o755)],
    "x.py that is executable but does not say by what": lambda script: [script("x.py", TELLS, 0o755)],
    "a console script": lambda script: [script("tool", f"#!{PYTHON}\n{TELLS}", 0o755)],
    "a shell script": lambda script: [script("x.sh", f'#!/bin/sh\n{PYTHON} -c "{TELLS}" "$@"', 0o755)],
    "a shell script that does not say so": lambda script: [script("start", f'{PYTHON} -c "{TELLS}" "$@"', 0o755)],
    "a Python that starts a Python": lambda _: [
        PYTHON,
        "-c",
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {TELLS!r}, *sys.argv[1:]])",
    ],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_kind_of_command_runs_with_the_agent_and_its_own_arguments(agent, script, tmp_path, command):
    ended = agent.run(*command(script), "--flag", "a b", "--", "-x", cwd=tmp_path)
    assert (ended.exit_code, ended.stderr) == (0, "")
    pid, arguments = ended.stdout.split(" ", 1)
    assert arguments == "['--flag', 'a b', '--', '-x']\n"
    assert pid in agent.starts()


def test_a_command_behind_two_dashes_may_look_like_an_option(agent, script, tmp_path):
    script("-odd", f"#!/bin/sh\n{PYTHON} -c '{TELLS}'", 0o755)
    ended = agent.run("--", "-odd", env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert ended.exit_code == 0
    assert agent.starts()


def test_the_command_is_the_launchers_own_process(agent):
    command = [PYTHON, "-m", "remora", "run", PYTHON, "-c", "import os; print(os.getpid())"]
    env = environment(launched=False, env=agent.env)
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.read() == f"{process.pid}\n"


def test_stdin_stdout_and_stderr_are_the_commands_own(agent):
    ended = agent.run("sh", "-c", "cat; echo err >&2", stdin="from the keyboard")
    assert (ended.stdout, ended.stderr) == ("from the keyboard", "err\n")


@pytest.mark.parametrize("exit_code", [0, 1, 42, 255])
def test_the_exit_code_is_the_commands_own(agent, exit_code):
    assert agent.run(PYTHON, "-c", f"raise SystemExit({exit_code})").exit_code == exit_code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL, signal.SIGUSR1])
def test_a_signal_reaches_the_command_and_kills_it_as_it_would(agent, number):
    command = [PYTHON, "-m", "remora", "run", PYTHON, "-c", "import time; print('up', flush=True); time.sleep(30)"]
    env = environment(launched=False, env=agent.env)
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout.readline() == "up\n"
        process.send_signal(number)
        assert process.wait(10) == -number


def test_the_command_gets_the_signal_dispositions_that_a_shell_would_give_it(agent):
    """Python ignores SIGPIPE, and what is ignored would stay so through exec."""
    ignored = ["/bin/sh", "-c", "grep SigIgn /proc/self/status"]
    assert agent.run(*ignored).stdout == agent.bare(*ignored).stdout
    assert agent.run("sh", "-c", "yes | head -1").stderr == ""


@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C"}, {"LANG": "C.UTF-8"}, {"LC_CTYPE": "C.UTF-8"}])
def test_the_command_gets_the_environment_it_would_have_and_two_variables(agent, locale):
    """In the C locale, Python sets LC_CTYPE for itself and its children."""
    bare = {name: value for name, value in locale.items() if name != "LANG"}
    outside = ["env", "-u", "LANG", "-u", "LC_ALL", *(f"{name}={value}" for name, value in locale.items())]
    with_us = agent.bare(*outside, PYTHON, "-m", "remora", "run", "env").stdout.splitlines()
    without = agent.bare(*outside, "env").stdout.splitlines()
    changing = ("_=", "XDG_STATE_HOME=")  # of the test's own making
    ours = {line for line in with_us if not line.startswith(changing)} - set(without)
    gone = {line.split("=")[0] for line in without if not line.startswith(changing) and line not in with_us}
    assert {line.split("=")[0] for line in ours} == {"PYTHONPATH", "REMORA_LAUNCHED_BY"}, bare
    assert gone == {"PYTHONPATH"}


def test_gunicorn_starts_the_agent_in_its_master_and_forks_workers_from_it(agent, script, tmp_path):
    pytest.importorskip("gunicorn")
    script("shop.py", "def app(environ, start):\n    start('200 OK', [])\n    return [b'open']\n")
    socket = tmp_path / "socket"
    command = [PYTHON, "-m", "remora", "run", "gunicorn", "--bind", f"unix:{socket}", "--chdir", tmp_path, "shop:app"]
    env = {**agent.env, "PATH": f"{Path(PYTHON).parent}:{os.environ['PATH']}"}
    with running(command, env=env, launched=False) as process:
        wait_until("gunicorn serves", socket.exists)
        assert agent.starts()[0] == str(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_command_of_our_own_environment_is_found_without_activating_it(agent):
    ended = agent.run("python", "-c", TELLS, env={"PATH": "/nowhere"})
    assert ended.exit_code == 0
    assert agent.starts()


def test_a_command_on_path_comes_before_ours(agent, script, tmp_path):
    script("python", "#!/bin/sh\necho theirs", 0o755)
    assert agent.run("python", env={"PATH": str(tmp_path)}).stdout == "theirs\n"


@pytest.mark.parametrize(
    ("command", "exit_code", "line"),
    [
        ("no-such-command", 127, "remora: no-such-command: command not found"),
        ("./no-such-file.py", 127, "remora: ./no-such-file.py: no such file"),
        ("/etc/passwd", 126, "remora: /etc/passwd: not executable"),
        ("/etc/", 126, "remora: /etc/: is a directory"),
    ],
)
def test_a_command_that_cannot_be_run_is_one_line_and_the_exit_code_of_shells(agent, command, exit_code, line):
    ended = agent.run(command)
    assert (ended.exit_code, ended.stdout, ended.stderr) == (exit_code, "", line + "\n")


def test_a_script_whose_interpreter_is_gone_is_not_found(agent, script):
    tool = script("tool", "#!/nowhere/python\n", 0o755)
    ended = agent.run(tool)
    assert (ended.exit_code, ended.stderr) == (127, f"remora: {tool}: its interpreter was not found\n")


HIDING = {
    "-I": ([PYTHON, "-I", "-c", "pass"], "-I"),
    "-E among others": ([PYTHON, "-uEB", "-c", "pass"], "-E"),
    "-S behind a value": ([PYTHON, "-W", "ignore", "-S", "-c", "pass"], "-S"),
    "none": ([PYTHON, "-u", "-c", "pass", "-I"], None),
    "-c's own": ([PYTHON, "-cpass", "-I"], None),
}


@pytest.mark.parametrize(("command", "option"), HIDING.values(), ids=HIDING)
def test_an_option_that_keeps_python_from_starting_us_is_told_in_one_line(agent, command, option):
    ended = agent.run(*command)
    assert ended.exit_code == 0
    assert len(ended.lines_of_ours) == (1 if option else 0)
    assert bool(agent.starts()) == (option is None)
    if option:
        assert option in ended.stderr


def test_the_same_option_is_seen_in_a_scripts_first_line(agent, script):
    ended = agent.run(script("tool", f"#!{PYTHON} -I\nprint('runs')", 0o755))
    assert ended.stdout == "runs\n"
    assert "-I" in ended.lines_of_ours[0]


def test_what_pythonpath_held_is_kept_and_ours_comes_once(agent, tmp_path):
    (tmp_path / "theirs.py").write_text("print('found')")
    nested = [PYTHON, "-m", "remora", "run", PYTHON, "-c", "import os, theirs; print(os.environ['PYTHONPATH'])"]
    found, path = agent.run(*nested, env={"PYTHONPATH": str(tmp_path)}).stdout.splitlines()
    assert found == "found"
    entries = path.split(os.pathsep)
    assert [entry.endswith("onpath") for entry in entries] == [True, False, False]
    assert entries[-1] == str(tmp_path)


@pytest.mark.parametrize("pythonpath", ["", ":", "/nowhere:", "/nowhere"])
def test_sys_path_is_what_it_would_be_without_us(agent, tmp_path, pythonpath):
    tells = [PYTHON, "-c", "import sys; print(sys.path)"]
    inside = ["env", f"PYTHONPATH={pythonpath}"]
    with_us = agent.bare(*inside, PYTHON, "-m", "remora", "run", *tells, cwd=tmp_path)
    assert with_us.stdout == agent.bare(*inside, *tells, cwd=tmp_path).stdout


def test_the_launcher_imports_nothing_that_takes_its_time(agent):
    command = [PYTHON, "-X", "importtime", "-m", "remora", "run", "--service-name", "shop", "true"]
    imported = {line.rpartition("|")[2].strip() for line in agent.bare(*command).stderr.splitlines()}
    assert "remora_launch.command" in imported
    heavy = {"asyncio", "click", "importlib.metadata", "opentelemetry", "pluggy", "rich", "subprocess", "wrapt"}
    assert imported & heavy == set()


def test_a_program_ends_as_fast_as_before_when_killed_during_the_start(agent):
    command = [PYTHON, "-m", "remora", "run", PYTHON, "-c", "pass"]
    env = environment(launched=False, env={**agent.env, "FAKE_START": "import time; time.sleep(30)"})
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as process:
        wait_until("the agent starts", agent.starts)
        started_s = time.monotonic()
        process.terminate()
        assert process.wait(10) == -signal.SIGTERM
        assert time.monotonic() - started_s < 1
