"""What happens in each Python: the agent starts, then everything is as if we had never been."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

PYTHON = sys.executable
OURS_IN_MODULES = "print([name for name in sys.modules if name.startswith('remora')])"
CUSTOM = "import sys; print({name!r}, 'runs', 'remora.bootstrap' in sys.modules)\n"


@pytest.fixture
def site_folder(tmp_path):
    """A folder for PYTHONPATH, with modules in it."""

    def write(**modules):
        folder = tmp_path / "theirs"
        folder.mkdir(exist_ok=True)
        for name, text in modules.items():
            (folder / f"{name}.py").write_text(text)
        return folder

    return write


def test_environment_variables_alone_start_the_agent_once(agent):
    ended = agent.injected(PYTHON, "-c", "print('runs')")
    assert (ended.stdout, ended.stderr) == ("runs\n", "")
    assert len(agent.starts()) == 1


def test_the_displaced_sitecustomize_runs_once_and_is_the_one_the_program_sees(agent, site_folder):
    folder = site_folder(sitecustomize=CUSTOM.format(name="sitecustomize") + "mark = 1\n")
    ended = agent.injected(
        PYTHON,
        "-c",
        "import sys; s = sys.modules['sitecustomize']; print(s.__file__, s.mark, s.__spec__.origin, s.__name__)",
        env={"PYTHONPATH": str(folder)},
    )
    file = folder / "sitecustomize.py"
    assert ended.stdout == f"sitecustomize runs True\n{file} 1 {file} sitecustomize\n"
    assert ended.stderr == ""


def test_a_displaced_package_runs_too(agent, tmp_path):
    package = tmp_path / "theirs" / "sitecustomize"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("print('package runs')")
    assert agent.injected(PYTHON, "-c", "", env={"PYTHONPATH": str(package.parent)}).stdout == "package runs\n"


def test_usercustomize_runs_once_by_itself(agent, site_folder):
    folder = site_folder(usercustomize="print('usercustomize runs')", sitecustomize="print('sitecustomize runs')")
    tells = [PYTHON, "-c", "import site; print(site.ENABLE_USER_SITE)"]
    bare = agent.bare(*tells, env={"PYTHONPATH": str(folder)})
    assert "sitecustomize runs" in bare.stdout
    assert agent.injected(*tells, env={"PYTHONPATH": str(folder)}).stdout == bare.stdout


def test_usercustomize_of_the_user_site_runs(agent, tmp_path):
    base = Path(PYTHON).resolve()  # a virtual environment has no user site
    home = {"PYTHONUSERBASE": str(tmp_path / "user"), "REMORA_ENABLED": "false"}
    told = agent.bare(base, "-c", "import site; print(site.getusersitepackages(), site.ENABLE_USER_SITE)", env=home)
    user_site, enabled = told.stdout.rsplit(None, 1)
    if enabled != "True":
        pytest.skip("this Python has no user site")
    folder = Path(user_site)
    folder.mkdir(parents=True)
    (folder / "usercustomize.py").write_text("print('usercustomize runs')")
    assert agent.injected(base, "-c", "", env=home).stdout == "usercustomize runs\n"


def test_without_a_displaced_one_there_is_no_sitecustomize_as_before(agent):
    tells = """if True:
        import sys
        print('sitecustomize' in sys.modules)
        try:
            import sitecustomize
        except ImportError as fault:
            print(fault)
    """
    with_us = agent.injected(PYTHON, "-c", tells)
    assert with_us.stdout == agent.bare(PYTHON, "-c", tells).stdout
    assert with_us.stderr == ""


FAULTS = {
    "an exception": "raise RuntimeError('their own')",
    "a missing import": "import no_such_module",
    "a syntax error": "def (",
    "an import of itself": "import sitecustomize; print(sitecustomize.__name__)",
    "an ImportError by its name": "raise ImportError(name='sitecustomize')",
    "SystemExit": "raise SystemExit(5)",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_in_the_displaced_one_is_told_as_python_tells_it(agent, site_folder, fault):
    env = {"PYTHONPATH": str(site_folder(sitecustomize=fault))}
    tells = [PYTHON, "-c", "import sys; print('sitecustomize' in sys.modules)"]
    with_us, bare = agent.injected(*tells, env=env), agent.bare(*tells, env=env)
    assert (with_us.exit_code, with_us.stdout) == (bare.exit_code, bare.stdout)
    assert without_tracebacks(with_us.stderr) == without_tracebacks(bare.stderr)


def without_tracebacks(stderr):
    return [line for line in stderr.splitlines() if not line.startswith((" ", "Traceback"))]


@pytest.mark.parametrize("options", [[], ["-s"], ["-P"], ["-X", "utf8"], ["-B"]], ids=" ".join)
def test_sys_path_and_its_caches_are_those_without_us(agent, site_folder, options):
    if options == ["-P"] and sys.version_info < (3, 11):
        pytest.skip("-P came with 3.11")
    tells = [
        PYTHON,
        *options,
        "-c",
        "import sys; print(sys.path); print([p for p in sys.path_importer_cache if 'onpath' in p])",
    ]
    env = {"PYTHONPATH": str(site_folder())}
    assert agent.injected(*tells, env=env).stdout == agent.bare(*tells, env=env).stdout


def test_the_folder_with_a_slash_at_its_end_is_taken_off_sys_path_as_well(agent):
    code = "import sys; print([entry for entry in sys.path if 'onpath' in entry])"
    nested = f'PYTHONPATH="$(echo $PYTHONPATH | sed s,onpath,onpath/,)" {PYTHON} -c "{code}"'
    assert agent.injected("sh", "-c", nested).stdout == "[]\n"
    assert len(agent.starts()) == 1


SWITCHES = [
    {"REMORA_ENABLED": "false"},
    {"REMORA_ENABLED": " No "},
    {"REMORA_ENABLED": "0"},
    {"REMORA_ENABLED": "OFF"},
    {"OTEL_SDK_DISABLED": "true"},
    {"OTEL_SDK_DISABLED": "True"},
]


@pytest.mark.parametrize("switch", SWITCHES, ids=str)
def test_switched_off_nothing_of_ours_is_imported_and_the_displaced_one_runs(agent, site_folder, switch):
    env = {"PYTHONPATH": str(site_folder(sitecustomize="print('theirs')")), **switch}
    ended = agent.injected(PYTHON, "-c", f"import sys; {OURS_IN_MODULES}; print(sys.path[1:3])", env=env)
    bare = agent.bare(PYTHON, "-c", f"import sys; {OURS_IN_MODULES}; print(sys.path[1:3])", env=env)
    assert ended.stdout == bare.stdout
    assert (ended.stderr, agent.starts()) == ("", [])


@pytest.mark.parametrize(
    "on", [{"REMORA_ENABLED": "true"}, {"REMORA_ENABLED": ""}, {"OTEL_SDK_DISABLED": "1"}], ids=str
)
def test_other_words_do_not_switch_off(agent, on):
    """`true` is the only word that OpenTelemetry takes for true."""
    agent.injected(PYTHON, "-c", "", env=on)
    assert len(agent.starts()) == 1


FAILURES = {
    "an exception": ("raise RuntimeError('broken\\ninside')", "RuntimeError: broken inside"),
    "a missing module": ("import no_such_module", "No module named 'no_such_module'"),
    "SystemExit": ("sys.exit(9)", "SystemExit: 9"),
    "MemoryError": ("raise MemoryError", "MemoryError"),
}


@pytest.mark.parametrize(("start", "said"), FAILURES.values(), ids=FAILURES)
def test_a_start_that_fails_is_one_line_and_the_program_runs(agent, site_folder, start, said):
    env = {"FAKE_START": start, "PYTHONPATH": str(site_folder(sitecustomize="print('theirs')"))}
    ended = agent.injected(PYTHON, "-c", "print('runs')", env=env)
    assert (ended.exit_code, ended.stdout) == (0, "theirs\nruns\n")
    assert len(ended.stderr.splitlines()) == 1
    assert said in ended.lines_of_ours[0]


def test_after_a_start_that_failed_children_are_left_alone(agent, site_folder):
    env = {"FAKE_START": "1 / 0", "PYTHONPATH": str(site_folder())}
    child = "import os; print(os.environ['PYTHONPATH'], [name for name in os.environ if name.startswith('REMORA')])"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    ended = agent.injected(PYTHON, "-c", parent, env=env)
    assert len(ended.lines_of_ours) == 1
    assert len(agent.starts()) == 1
    assert "onpath" not in ended.stdout
    assert ended.stdout.endswith(f"{env['PYTHONPATH']} []\n")


def test_a_failure_without_a_stderr_or_with_a_closed_one_is_harmless(agent):
    closed = agent.injected("sh", "-c", f"{PYTHON} -c 'print(1)' 2>&-", env={"FAKE_START": "1 / 0"})
    assert (closed.exit_code, closed.stdout) == (0, "1\n")


def test_ctrl_c_during_the_start_is_the_programs(agent):
    ended = agent.injected(PYTHON, "-c", "print('runs')", env={"FAKE_START": "raise KeyboardInterrupt"})
    bare = agent.bare(PYTHON, "-c", "print('runs')")
    assert bare.exit_code == 0
    assert ended.exit_code != 0
    assert ended.lines_of_ours == []


HELPER = "import subprocess; subprocess.run([sys.executable, '-c', 'import os; os.write(1, b\"helper\\\\n\")'])"


@pytest.mark.parametrize("then", ["", "; 1 / 0"], ids=["succeeds", "fails"])
def test_helpers_run_while_the_agent_starts_are_left_alone(agent, then):
    parent = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1)'])"
    ended = agent.injected(PYTHON, "-c", parent, env={"FAKE_START": f"{HELPER}{then}"})
    assert len(ended.lines_of_ours) == (1 if then else 0)
    # The process itself, then the child of the program; or after a failure only the former.
    assert len(agent.starts()) == (1 if then else 2)
    assert ended.stdout == ("helper\n1\n" if then else "helper\nhelper\n1\n")


def test_the_environment_after_the_start_is_the_one_before(agent):
    tells = [PYTHON, "-c", "import os; print({name for name in os.environ if 'REMORA' in name})"]
    assert agent.injected(*tells).stdout == agent.bare(*tells).stdout


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_isolated_interpreters_run_without_us(agent, option):
    ended = agent.injected(PYTHON, option, "-c", f"import sys; {OURS_IN_MODULES}")
    assert (ended.stdout, ended.stderr, agent.starts()) == ("[]\n", "", [])
