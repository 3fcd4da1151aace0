"""`remora doctor PID`: what it says of a running process."""

from __future__ import annotations

import json
import os
import shlex
import socket
import sys
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from remora.cli.doctor import process as examined_process
from remora.cli.main import main
from remora.pipeline import health
from support.processes import output, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from core.cli.distributions import SitePackages

Capture = pytest.CaptureFixture[str]

WAITING = "import time; print('up', flush=True); time.sleep(60)"
STATUS: dict[str, Any] = {
    "version": "0.1.0",
    "command": ["python", "shop.py"],
    "python": "3.11.7",
    "executable": "/usr/bin/python",
    "service_name": "shop",
    "service_instance_id": "6f1c",
    "compiled": {"spans": True, "otlp": True},
    "libraries": [
        {"kind": "plugin", "name": "flask", "state": "patched", "reason": "", "version": "3.1", "faults": 0},
        {"kind": "plugin", "name": "requests", "state": "waiting", "reason": "requests.adapters is not imported",
         "version": "2.34"},
        {"kind": "plugin", "name": "celery", "state": "waiting", "reason": "celery is not installed", "version": None},
        {"kind": "plugin", "name": "pymongo", "state": "patched-untested", "reason": "pymongo 9 is newer than tested",
         "version": "9.0"},
    ],
    "books": {"traces": {"produced": 100, "exported": 90, "stored": 7, "queued": 3, "dropped": {}, "balanced": True}},
    "exporter": {"endpoint": "http://collector:4318/v1/traces", "protocol": "http/protobuf", "compression": "zstd",
                 "configured": True, "exporters": ["otlp"], "trouble": "", "state": "delivering"},
    "provider": {"owner": "remora", "detail": ""},
    "problems": [],
    "said": [],
}  # fmt: skip


@contextmanager
def _reporting(folder: Path, **changes: Any) -> Iterator[int]:
    """This very process, as if Remora were in it and said so."""
    path = health.path_of(str(folder), os.getpid())
    now_s = time.time()
    health.write(path, {**STATUS, "pid": os.getpid(), "started_unix_s": now_s, "written_unix_s": now_s, **changes})
    yield os.getpid()
    health.remove(path)


def _told(capsys: Capture, pid: int, exit_code: int) -> str:
    assert main(["doctor", str(pid)]) == exit_code
    return " ".join(capsys.readouterr().out.split())


def _examined(capsys: Capture, pid: int) -> dict[str, Any]:
    exit_code = main(["doctor", "--json", str(pid)])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document["ok"] is (exit_code == 0)
    return document


def test_a_process_that_reports_is_told_library_by_library(capsys: Capture, tmp_path: Path) -> None:
    with _reporting(tmp_path / "store") as pid:
        told = _told(capsys, pid, 0)
    for part in (
        "python shop.py",
        "service shop, instance 6f1c",
        "✓ flask 3.1: traced",
        "· pymongo 9.0: traced, untested: pymongo 9 is newer than tested",
        "· not imported by the program: requests 2.34",
        "· not installed: celery",
        "100 made",
        "90 delivered to the collector",
        "7 kept in the local store",
        "3 waiting to be sent",
    ):
        assert part in told
    assert told.endswith("✓ ok")


def test_drops_are_told_by_reason_with_the_mend(capsys: Capture, tmp_path: Path) -> None:
    books = {"produced": 100, "exported": 60, "dropped": {"queue_full": 30, "unauthorized": 10}, "balanced": True}
    with _reporting(tmp_path / "store", books={"traces": books}) as pid:
        problems = _examined(capsys, pid)["problems"]
    assert problems[0].startswith("30 dropped, queue_full")
    assert "OTEL_BSP_MAX_QUEUE_SIZE" in problems[0]
    assert "OTEL_EXPORTER_OTLP_HEADERS" in problems[1]


def test_a_failing_delivery_is_the_first_thing_to_mend(capsys: Capture, tmp_path: Path) -> None:
    exporter = {**STATUS["exporter"], "trouble": "status 401: it wants other credentials", "state": "storing"}
    broken = {"kind": "plugin", "name": "flask", "state": "quarantined", "reason": "10 faults", "source": "x of y"}
    with _reporting(tmp_path / "store", exporter=exporter, libraries=[broken], problems=["OTEL_X: wrong"]) as pid:
        report = _examined(capsys, pid)
    assert "status 401" in report["verdict"]
    assert len(report["problems"]) == 3
    assert any("flask: taken out, 10 faults" in problem for problem in report["problems"])


def test_a_process_without_spans_yet_is_no_problem(capsys: Capture, tmp_path: Path) -> None:
    with _reporting(tmp_path / "store", books={}) as pid:
        assert "no span was made yet: flask, pymongo are traced, but nothing was called" in _told(capsys, pid, 0)


def test_a_report_with_none_of_the_keys_is_survived(capsys: Capture, tmp_path: Path) -> None:
    path = health.path_of(str(tmp_path / "store"), os.getpid())
    health.write(path, {"written_unix_s": time.time()})
    assert "no span was made yet" in _told(capsys, os.getpid(), 0)


def test_the_report_of_an_earlier_process_with_that_number_is_not_believed(capsys: Capture, tmp_path: Path) -> None:
    created_s = psutil.Process().create_time()
    with _reporting(tmp_path / "store", started_unix_s=created_s - 900, written_unix_s=created_s - 600) as pid:
        assert _examined(capsys, pid)["instrumented"] is False


def test_the_store_of_the_process_is_looked_at_not_only_ours(capsys: Capture, tmp_path: Path) -> None:
    other = tmp_path / "its own"
    with running([sys.executable, "-c", WAITING], env={"REMORA_STORE_DIR": str(other)}, launched=False) as found:
        wait_until("it runs", lambda: psutil.Process(found.pid).cmdline()[1:2] == ["-c"])
        health.write(health.path_of(str(other), found.pid), {**STATUS, "written_unix_s": time.time()})
        assert _examined(capsys, found.pid)["instrumented"] is True


def _stored(path: str) -> int:
    try:
        with open(path) as file:  # noqa: PTH123 - as the product names it
            report = json.load(file)
    except FileNotFoundError:
        return 0
    return int(report["books"].get("traces", {}).get("stored", 0))


def test_a_traced_process_reports_by_itself(capsys: Capture, site_packages: SitePackages, tmp_path: Path) -> None:
    code = """
import sqlite3, time
connection = sqlite3.connect(":memory:")
while True:
    connection.execute("SELECT 1")
    time.sleep(0.05)
"""
    env = {
        "PYTHONPATH": str(site_packages.folder),
        "REMORA_STORE_DIR": str(tmp_path / "store"),
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    with running([sys.executable, "-c", code], env=env) as found:
        path = health.path_of(str(tmp_path / "store"), found.pid)
        wait_until("it has reported spans", lambda: _stored(path) > 0)
        told = _told(capsys, found.pid, 0)
    assert "✓ sqlite3: traced" in told
    assert "kept in the local store" in told


@contextmanager
def _process(*command: str, env: Mapping[str, str] | None = None) -> Iterator[int]:
    with running(command, env=env, launched=False) as found:
        wait_until("it runs", lambda: psutil.Process(found.pid).cmdline() == list(command))
        yield found.pid


def test_a_process_that_was_started_without_remora_is_told_how_to_start_it(capsys: Capture) -> None:
    with _process(sys.executable, "-c", WAITING) as pid:
        report = _examined(capsys, pid)
    assert report["instrumented"] is False
    assert "started without Remora: start it by `remora run`" in report["verdict"]
    assert "remora_launch/onpath" in report["verdict"]


def _given(capsys: Capture) -> dict[str, str]:
    """What `remora run` would set."""
    main(["run", "--print-env=plain"])
    return dict(line.split("=", 1) for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(
    ("variable", "value"), [("REMORA_ENABLED", "false"), ("REMORA_ENABLED", "0"), ("OTEL_SDK_DISABLED", "true")]
)
def test_a_process_that_is_switched_off_names_the_switch(variable: str, value: str, capsys: Capture) -> None:
    with _process(sys.executable, "-c", WAITING, env={**_given(capsys), variable: value}) as pid:
        assert f"switched off by {variable}={value}" in _examined(capsys, pid)["verdict"]


def test_an_option_that_keeps_remora_out_is_named(capsys: Capture) -> None:
    with _process(sys.executable, "-I", "-c", WAITING, env=_given(capsys)) as pid:
        assert "Python was started with -I (isolated)" in _examined(capsys, pid)["verdict"]


def _pythons_below(pid: int) -> list[psutil.Process]:
    found = psutil.process_iter(["ppid", "cmdline"])
    return [one for one in found if one.info["ppid"] == pid and (one.info["cmdline"] or [])[:1] == [sys.executable]]


def test_a_process_that_is_no_python_says_what_it_is_and_where_python_is(capsys: Capture) -> None:
    script = f"{sys.executable} -c {shlex.quote(WAITING)} & wait"
    with running(["/bin/sh", "-c", script], launched=False) as found:
        wait_until("its child runs", lambda: bool(_pythons_below(found.pid)))
        (child,) = _pythons_below(found.pid)
        told = _told(capsys, found.pid, 1)
    assert "it is no Python but /" in told
    assert f"remora doctor {child.pid}" in told


def test_a_process_of_somebody_else_says_whose_it_is(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examined_process, "_environment", lambda _: None)
    with _process(sys.executable, "-c", WAITING) as pid:
        assert f"it belongs to {psutil.Process().username()}" in _examined(capsys, pid)["verdict"]


def test_a_process_that_ended_is_told_so(capsys: Capture) -> None:
    with _process(sys.executable, "-c", WAITING) as pid:
        pass
    assert f"there is no process {pid}" in _examined(capsys, pid)["verdict"]


def _waits_for_its_stop(pid: int) -> bool:
    try:
        return len(_children(pid)) > 0
    except psutil.Error:
        return False


def _children(pid: int) -> list[psutil.Process]:
    return [one for one in psutil.process_iter(["ppid"]) if one.info["ppid"] == pid]


FORKING = """
import os, sqlite3, time
connection = sqlite3.connect(":memory:")
if os.fork() == 0:
    time.sleep(60)
time.sleep(60)
"""


def test_a_forked_worker_without_spans_is_told_by_its_parent(
    capsys: Capture, site_packages: SitePackages, tmp_path: Path
) -> None:
    env = {"PYTHONPATH": str(site_packages.folder), "REMORA_STORE_DIR": str(tmp_path / "store")}
    with running([sys.executable, "-c", FORKING], env=env) as found:
        wait_until("it has forked", lambda: _waits_for_its_stop(found.pid))
        (worker,) = _children(found.pid)
        told = _told(capsys, worker.pid, 0)
        report = _examined(capsys, worker.pid)
        of_parent = _told(capsys, found.pid, 0)
    assert f"{worker.pid}, forked from {found.pid}" in told
    assert f"Remora is in it, as in {found.pid}, which reports" in told
    assert "no span was sent or stored here yet" in told
    assert "✓ sqlite3: traced" in told
    assert (report["instrumented"], report["forked_from"]) == (True, found.pid)
    assert f"{worker.pid}: no report of its own yet; remora doctor {worker.pid}" in of_parent


def test_a_process_that_imported_nothing_to_trace_is_told_so(
    capsys: Capture, site_packages: SitePackages, tmp_path: Path
) -> None:
    env = {"PYTHONPATH": str(site_packages.folder), "REMORA_STORE_DIR": str(tmp_path / "store")}
    with running([sys.executable, "-c", WAITING], env=env) as found:
        wait_until("it waits", lambda: "up" in output(found))
        told = _told(capsys, found.pid, 0)
    assert "Remora is in it, and has reported nothing" in told
    assert "the first library that the program imports and Remora traces" in told


SHOP = """
import sqlite3

def application(environ, start_response):
    sqlite3.connect(":memory:").execute("SELECT 1")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]
"""


@pytest.mark.parametrize("preload", [[], ["--preload"]])
def test_a_gunicorn_names_its_workers_and_they_tell_what_they_made(
    preload: list[str], capsys: Capture, site_packages: SitePackages, tmp_path: Path
) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    env = {
        "PYTHONPATH": f"{site_packages.folder}{os.pathsep}{tmp_path}",
        "REMORA_STORE_DIR": str(tmp_path / "store"),
        "OTEL_BSP_SCHEDULE_DELAY": "60000",
    }
    with running(
        [sys.executable, "-m", "gunicorn", "shop:application", "-w", "1", "-b", address, *preload], env=env
    ) as it:
        wait_until("it answers", lambda: _answers(f"http://{address}/"), within_s=20)
        (worker,) = _children(it.pid)
        wait_until("the worker reports", lambda: _examined(capsys, worker.pid).get("report") is not None, within_s=20)
        wait_until("its spans", lambda: " 2 made" in _told(capsys, worker.pid, 0), within_s=20)
        told = _told(capsys, worker.pid, 0)
        of_master = _told(capsys, it.pid, 0)
    assert "as it reported" in told
    assert "✓ sqlite3: traced" in told
    assert f"{worker.pid}: 2 spans made; remora doctor {worker.pid}" in of_master


def _answers(url: str) -> bool:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as answer:
            return bool(answer.read() == b"ok")
    except OSError:
        return False
