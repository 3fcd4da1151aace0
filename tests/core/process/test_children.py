"""Child processes learn the trace of their caller, and the caller's own environment stays as it was."""

from __future__ import annotations

import asyncio
import inspect
import os
import subprocess
import sys

import pytest

from remora.process import children, substitutes
from support.processes import run, run_python

CURRENT = {"TRACEPARENT": "00-" + "1" * 32 + "-" + "2" * 16 + "-01", "TRACESTATE": "a=b"}
PRINTS = [sys.executable, "-c", "import os; print(os.environ.get('TRACEPARENT'), os.environ.get('TRACESTATE'))"]
CARRIED = f"{CURRENT['TRACEPARENT']} a=b\n"


@pytest.fixture
def span(monkeypatch):
    """The headers of the current span; empty it, and there is none."""
    monkeypatch.delenv("TRACEPARENT", raising=False)
    headers = dict(CURRENT)
    children.carry(lambda: headers)
    children.patch_subprocess(subprocess)
    children.patch_os(os)
    yield headers
    substitutes.undo()
    children.carry(dict)


WAYS = {
    "run": lambda: subprocess.run(PRINTS, stdout=-1, text=True, check=True).stdout,
    "check_output with a shell": lambda: subprocess.check_output(
        "echo $TRACEPARENT $TRACESTATE", shell=True, text=True
    ),
    "os.popen": lambda: of_popen(),
    "without closing files": lambda: subprocess.run(PRINTS, stdout=-1, text=True, close_fds=False, check=True).stdout,
    "with an environment": lambda: (
        subprocess.run(PRINTS, stdout=-1, text=True, env={"PATH": os.environ["PATH"]}, check=True).stdout
    ),
    "with an environment in bytes": lambda: (
        subprocess.run(PRINTS, stdout=-1, text=True, env=os.environb, check=True).stdout
    ),
    "asyncio": lambda: asyncio.run(of_asyncio()),
    "posix_spawn": lambda: of_posix_spawn(os.posix_spawn),
    "posix_spawnp": lambda: of_posix_spawn(os.posix_spawnp),
}


def of_popen():
    with os.popen("echo $TRACEPARENT $TRACESTATE") as output:
        return output.read()


async def of_asyncio():
    process = await asyncio.create_subprocess_exec(*PRINTS, stdout=-1)
    return (await process.communicate())[0].decode()


def of_posix_spawn(spawn):
    reading, writing = os.pipe()
    pid = spawn(PRINTS[0], PRINTS, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, writing, 1)])
    os.waitpid(pid, 0)
    os.close(writing)
    with os.fdopen(reading) as output:
        return output.read()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_child_process_learns_the_current_span(span, way):
    assert way() == CARRIED
    assert "TRACEPARENT" not in os.environ


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_without_a_span_a_child_process_learns_nothing(span, way):
    span.clear()
    assert way().split() in ([], ["None", "None"])


def test_the_mapping_the_program_passes_stays_as_it_is(span):
    env = {"PATH": os.environ["PATH"]}
    subprocess.run(["true"], env=env, check=True)
    assert env == {"PATH": os.environ["PATH"]}


@pytest.mark.parametrize("name", ["TRACEPARENT", b"TRACEPARENT"])
def test_a_trace_the_program_chose_for_the_child_stays(span, name):
    chosen = "00-" + "3" * 32 + "-" + "4" * 16 + "-01"
    value = chosen if isinstance(name, str) else chosen.encode()
    done = subprocess.run(PRINTS, env={name: value}, stdout=-1, text=True, check=True)
    assert done.stdout == f"{chosen} None\n"


@pytest.mark.parametrize("env", [None, "a copy", "a copy in bytes"])
def test_the_trace_this_process_itself_inherited_gives_way_to_the_current_span(span, monkeypatch, env):
    monkeypatch.setenv("TRACEPARENT", "00-" + "5" * 32 + "-" + "6" * 16 + "-01")
    monkeypatch.setenv("TRACESTATE", "old=1")
    del span["TRACESTATE"]
    copies = {None: None, "a copy": dict(os.environ), "a copy in bytes": dict(os.environb)}
    done = subprocess.run(PRINTS, env=copies[env], stdout=-1, text=True, check=True)
    assert done.stdout == f"{CURRENT['TRACEPARENT']} None\n"


def test_a_wrong_environment_fails_as_before(span):
    with pytest.raises((TypeError, AttributeError)) as with_us:
        subprocess.run(["true"], env="nonsense", check=True)
    substitutes.undo()
    with pytest.raises(type(with_us.value)) as without_us:
        subprocess.run(["true"], env="nonsense", check=True)
    assert str(with_us.value) == str(without_us.value)


def test_a_span_that_cannot_be_told_is_not_told(span):
    children.carry(lambda: 1 / 0)
    assert WAYS["run"]() == "None None\n"


def test_subprocess_looks_as_before(span):
    signatures = [inspect.signature(subprocess.Popen), subprocess.Popen.__doc__]
    substitutes.undo()
    assert [inspect.signature(subprocess.Popen), subprocess.Popen.__doc__] == signatures
    assert subprocess.Popen._execute_child.__qualname__ == "Popen._execute_child"


FORKED = {
    "os.fork and exec": "os.execv('/bin/sh', ['sh', '-c', 'echo $TRACEPARENT'])",
    "os.fork and a search along PATH": "os.execlp('sh', 'sh', '-c', 'echo $TRACEPARENT')",
    "os.fork and exec with an environment": "os.execve('/bin/sh', ['sh', '-c', 'echo $TRACEPARENT'], {})",
}


@pytest.mark.parametrize("replaces", FORKED.values(), ids=FORKED)
def test_a_forked_child_that_becomes_another_program_learns_the_span(replaces):
    """The span lives on in the parent; of a process that replaces itself it would never end."""
    done = run_python(f"""
        import os
        from remora.process import children, exit as process_exit
        children.carry(lambda: {{"TRACEPARENT": "the caller's"}})
        process_exit.on_exit(lambda timeout_s: None)
        os.spawnl(os.P_WAIT, "/bin/sh", "sh", "-c", "echo $TRACEPARENT")
        if os.fork() == 0:
            {replaces}
        os.wait()
        os.execv("/bin/sh", ["sh", "-c", "echo none: $TRACEPARENT"])
    """, launched=False)  # fmt: skip
    assert done.stdout.splitlines() == ["the caller's", "the caller's", "none:"]


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_child_of_multiprocessing_is_told_before_its_work(tmp_path, method):
    # Both sides patch at their start, as the launch would.
    (tmp_path / "sitecustomize.py").write_text("""
import multiprocessing.spawn, sys
from remora.process import children
sys.headers, sys.received = {}, []
children.carry(lambda: sys.headers, sys.received.append)
children.patch_multiprocessing_spawn(multiprocessing.spawn)
""")
    script = tmp_path / "script.py"
    script.write_text(f"""
import multiprocessing, sys
def work():
    print(sys.received, flush=True)
if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    for sys.headers in ({{"TRACEPARENT": "the caller's"}}, {{}}):
        child = context.Process(target=work)
        child.start()
        child.join()
""")
    done = run([sys.executable, script], env={"PYTHONPATH": str(tmp_path)}, launched=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["[{'TRACEPARENT': \"the caller's\"}]", "[]"]


INHERITED = {
    CURRENT["TRACEPARENT"]: True,
    "cc-" + "1" * 32 + "-" + "2" * 16 + "-01-what-the-future-adds": True,
    "": False,
    "nonsense": False,
    "ff-" + "1" * 32 + "-" + "2" * 16 + "-01": False,
    "00-" + "0" * 32 + "-" + "2" * 16 + "-01": False,
    "00-" + "1" * 32 + "-" + "0" * 16 + "-01": False,
    "00-" + "A" * 32 + "-" + "2" * 16 + "-01": False,
    "00-" + "1" * 31 + "-" + "2" * 16 + "-01": False,
    "00-" + "1" * 32 + "-" + "2" * 16 + "-01-more": False,
}


@pytest.mark.parametrize(("traceparent", "valid"), INHERITED.items())
def test_only_a_valid_traceparent_is_inherited(traceparent, valid):
    assert children.inherited({"TRACEPARENT": traceparent}) == (traceparent if valid else None)


def test_no_traceparent_is_none():
    assert children.inherited({}) is None
