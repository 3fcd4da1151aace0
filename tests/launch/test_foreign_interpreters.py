"""Another Python than the one Remora is installed for: it says so in one line, and runs the program as ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from remora_launch.environment import ONPATH

SAYS_WHO = """if True:
    import sys
    try:
        import remora_launch
    except ImportError:
        sys.stdout.write("%d.%d %s" % (sys.version_info[:2] + (sys.executable,)))
"""
ROOTS = [str(Path(folder).parent) for module in ("remora", "remora_launch") for folder in sys.modules[module].__path__]


def foreign_interpreters():
    """One of each minor version that this machine has, on PATH or by pyenv, and that does not have Remora."""
    folders = [Path(folder) for folder in os.get_exec_path()]
    folders += sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/*/bin"))
    found = {}
    for name in ("python2.7", "python3", *(f"python3.{minor}" for minor in range(6, 20))):
        for path in (folder / name for folder in folders):
            if path.exists():
                told = subprocess.run([path, "-c", SAYS_WHO], capture_output=True, text=True, check=False, cwd="/")
                version, _, executable = told.stdout.partition(" ")
                if executable:
                    found.setdefault(version, executable)
    return found


FOREIGN = foreign_interpreters()
SUPPORTED = {version: path for version, path in FOREIGN.items() if tuple(map(int, version.split("."))) >= (3, 10)}
NONE = [pytest.param("", marks=pytest.mark.skip(reason="no other such Python on this machine"))]


@pytest.fixture(params=sorted(FOREIGN) or NONE)
def foreign(request):
    return FOREIGN[request.param]


@pytest.fixture(params=sorted(SUPPORTED) or NONE)
def supported(request):
    return SUPPORTED[request.param]


def test_it_stands_down_with_one_line_that_names_both_and_the_mend(agent, foreign):
    ended = agent.run(foreign, "-c", "print('runs')")
    assert (ended.exit_code, ended.stdout) == (0, "runs\n")
    assert len(ended.stderr.splitlines()) == 1
    assert f"({foreign})" in ended.lines_of_ours[0]
    assert f"({sys.executable})" in ended.lines_of_ours[0]
    mend = f"{foreign} -m pip install remora" if foreign in SUPPORTED.values() else "Python 3.10 or newer"
    assert mend in ended.lines_of_ours[0]
    assert agent.starts() == []


def test_everything_else_is_as_without_us(agent, foreign, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("mark = 'displaced'")
    code = "import sys; print(sys.path, sys.modules['sitecustomize'].mark, sys.modules['sitecustomize'].__name__)"
    env = {"PYTHONPATH": str(tmp_path)}
    with_us, bare = agent.run(foreign, "-c", code, env=env), agent.bare(foreign, "-c", code, env=env)
    assert with_us.exit_code == 0
    assert with_us.stdout == bare.stdout


def test_without_a_displaced_sitecustomize_there_is_none(agent, foreign):
    code = "import sys; print('sitecustomize' in sys.modules)"
    assert agent.run(foreign, "-c", code).stdout == agent.bare(foreign, "-c", code).stdout


@pytest.mark.parametrize(
    "quiet", [{"REMORA_ENABLED": "false"}, {"OTEL_SDK_DISABLED": "true"}, {"OTEL_LOG_LEVEL": "error"}]
)
def test_it_can_be_told_to_say_nothing(agent, foreign, quiet):
    assert agent.run(foreign, "-c", "", env=quiet).stderr == ""


def test_its_own_children_do_not_repeat_it_and_one_that_has_remora_is_traced(agent, foreign):
    children = f"import subprocess, sys; [subprocess.call([p, '-c', '']) for p in (sys.executable, {sys.executable!r})]"
    ended = agent.run(foreign, "-c", children)
    assert len(ended.stderr.splitlines()) == 1
    assert len(agent.starts()) == 1


def test_injected_it_names_itself_and_the_mend(agent, supported):
    ended = agent.bare(supported, "-c", "", env={"PYTHONPATH": ONPATH})
    assert len(ended.stderr.splitlines()) == 1
    assert f"{supported} -m pip install remora" in ended.stderr


def test_one_that_finds_the_same_remora_just_works(agent, supported):
    ended = agent.run(supported, "-c", "print('runs')", env={"PYTHONPATH": os.pathsep.join(ROOTS)})
    assert (ended.stdout, ended.stderr) == ("runs\n", "")
    assert len(agent.starts()) == 1
