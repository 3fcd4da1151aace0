"""`remora doctor -- CMD`: what became of the spans of one run."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from support.processes import Finished, run
from support.receiver import Receiver

if TYPE_CHECKING:
    from pathlib import Path

    from core.cli.distributions import SitePackages

QUERY = "import sqlite3; sqlite3.connect(':memory:').execute('SELECT 1'); print('done')"


@pytest.fixture
def env(site_packages: SitePackages, tmp_path: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(site_packages.folder), "REMORA_STORE_DIR": str(tmp_path / "store")}


def _doctor(*words: str, env: dict[str, str]) -> Finished:
    return run([sys.executable, "-m", "remora", "doctor", *words], env=env, launched=False)


def _report(*command: str, env: dict[str, str]) -> dict[str, Any]:
    done = _doctor("--json", "--", *command, env=env)
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["ok"] is (done.exit_code == 0)
    return document


def test_the_command_runs_as_it_would_and_the_report_follows(env: dict[str, str]) -> None:
    done = _doctor("--", sys.executable, "-c", QUERY, env=env)
    assert done.exit_code == 0, done.stdout + done.stderr
    assert done.stdout.startswith("done\n")
    assert "✓ sqlite3: traced" in done.stdout
    assert "1 kept in the local store" in done.stdout
    assert done.stdout.rstrip().endswith("✓ ok")


def test_delivered_spans_are_counted(env: dict[str, str]) -> None:
    with Receiver() as receiver:
        report = _report(sys.executable, "-c", QUERY, env={**env, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url})
        assert len(receiver.wait_for(1)) == 1
    assert report["verdict"] == "ok"
    (process,) = report["reports"]
    books = process["books"]["traces"]
    assert (books["produced"], books["exported"], books["balanced"]) == (1, 1, True)


def test_a_collector_that_is_down_is_what_to_mend_first(env: dict[str, str]) -> None:
    env = {**env, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "REMORA_BOGUS": "1"}
    report = _report(sys.executable, "-c", QUERY, env=env)
    assert "deliveries to http://127.0.0.1:1/v1/traces fail: connection refused" in report["verdict"]
    assert any("REMORA_BOGUS" in problem for problem in report["problems"])


def test_the_exit_code_is_told_and_is_not_the_doctor_s(env: dict[str, str]) -> None:
    report = _report(sys.executable, "-c", QUERY + "; raise SystemExit(3)", env=env)
    assert (report["exit_code"], report["verdict"]) == (3, "ok")


def test_a_program_that_uses_nothing_that_is_traced_is_told_so(env: dict[str, str]) -> None:
    report = _report(sys.executable, "-c", "pass", env=env)
    assert "the program imported no library that Remora traces" in report["verdict"]


def test_a_program_that_imports_and_calls_nothing_is_told_so(env: dict[str, str]) -> None:
    report = _report(sys.executable, "-c", "import sqlite3", env=env)
    assert "sqlite3 is traced, but nothing was called" in report["verdict"]


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"OTEL_TRACES_SAMPLER": "always_off"}, "OTEL_TRACES_SAMPLER=always_off: no trace is kept; unset it"),
        ({"OTEL_TRACES_SAMPLER": "parentbased_always_off"}, "no trace is kept but those that a caller has begun"),
        (
            {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"},
            "OTEL_TRACES_SAMPLER_ARG=0: no trace is kept; raise the ratio",
        ),
        (
            {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.0000001"},
            "only 1e-07 of all traces are kept",
        ),
        ({"OTEL_TRACES_EXPORTER": "none"}, "OTEL_TRACES_EXPORTER=none: what is traced goes nowhere; unset it"),
        (
            {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "sqlite3"},
            "sqlite3 is off, disabled by OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=sqlite3",
        ),
        ({"REMORA_INSTRUMENTATIONS": "flask"}, "sqlite3 is off, not in REMORA_INSTRUMENTATIONS=flask"),
    ],
)
def test_settings_that_keep_all_spans_away_are_named(variables: dict[str, str], told: str, env: dict[str, str]) -> None:
    report = _report(sys.executable, "-c", QUERY, env={**env, **variables})
    assert told in report["verdict"]
    assert "nothing was called" not in report["verdict"]


ASKS = """
import http.client, http.server, sqlite3, threading

class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        sqlite3.connect(":memory:").execute("SELECT 1")
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Shop)
threading.Thread(target=server.serve_forever, daemon=True).start()
for path in ("/health", "/health/deep"):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
    connection.request("GET", path, headers=HEADERS)
    assert connection.getresponse().status == 200
server.shutdown()
"""
UNSAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("REMORA_EXCLUDED_URLS", "/health*", "REMORA_EXCLUDED_URLS"),
        ("OTEL_PYTHON_EXCLUDED_URLS", "health", "OTEL_PYTHON_*_EXCLUDED_URLS"),
    ],
)
def test_requests_that_are_excluded_are_counted(variable: str, value: str, named: str, env: dict[str, str]) -> None:
    asks = ASKS.replace("HEADERS", "{}")
    env = {**env, variable: value, "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "http.client"}
    report = _report(sys.executable, "-c", asks, env=env)
    assert f"2 requests left out by {named} (http.server 2)" in report["verdict"]
    assert "nothing was called" not in report["verdict"]


def test_beside_other_spans_what_was_excluded_is_told_and_is_no_problem(env: dict[str, str]) -> None:
    asks = ASKS.replace("HEADERS", "{}")
    done = _doctor("--", sys.executable, "-c", asks + QUERY, env={**env, "REMORA_EXCLUDED_URLS": "/health*"})
    assert done.exit_code == 0, done.stdout + done.stderr
    assert "left out by REMORA_EXCLUDED_URLS" in " ".join(done.stdout.split())


def test_requests_of_callers_that_do_not_sample_are_counted(env: dict[str, str]) -> None:
    asks = ASKS.replace("HEADERS", repr({"traceparent": UNSAMPLED}))
    env = {**env, "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "http.client"}
    report = _report(sys.executable, "-c", asks, env=env)
    assert "2 requests of callers that do not keep their traces" in report["verdict"]
    assert "OTEL_TRACES_SAMPLER=always_on" in report["verdict"]
    kept = _report(sys.executable, "-c", asks, env={**env, "OTEL_TRACES_SAMPLER": "always_on"})
    assert kept["verdict"] == "ok"


def test_a_process_whose_own_caller_does_not_sample_is_told_so(env: dict[str, str]) -> None:
    report = _report(sys.executable, "-c", QUERY, env={**env, "TRACEPARENT": UNSAMPLED})
    assert "TRACEPARENT ends in -00" in report["verdict"]
    kept = _report(sys.executable, "-c", QUERY, env={**env, "TRACEPARENT": UNSAMPLED[:-1] + "1"})
    assert kept["verdict"] == "ok"


def test_spans_on_the_console_are_what_was_asked_for(env: dict[str, str]) -> None:
    done = _doctor("--", sys.executable, "-c", QUERY, env={**env, "OTEL_TRACES_EXPORTER": "console"})
    assert done.exit_code == 0, done.stdout + done.stderr
    assert "OTEL_TRACES_EXPORTER=console: spans are printed by the program" in " ".join(done.stdout.split())


def test_the_local_store_can_be_asked_for_though_a_collector_listens(env: dict[str, str]) -> None:
    with Receiver() as receiver:
        chosen = {"OTEL_TRACES_EXPORTER": "store", "OTEL_METRICS_EXPORTER": "store"}
        chosen["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.url
        report = _report(sys.executable, "-c", QUERY, env={**env, **chosen})
        assert receiver.requests == []
    assert report["verdict"] == "ok"
    (process,) = report["reports"]
    assert process["books"]["traces"]["stored"] == 1
    shown = run([sys.executable, "-m", "remora", "show"], env=env, launched=False)
    assert "sqlite" in shown.stdout


def test_what_the_store_had_to_overwrite_is_told(env: dict[str, str]) -> None:
    code = """
import sqlite3
connection = sqlite3.connect(":memory:")
for number in range(400):
    connection.execute(f"SELECT {number} AS a{number}")
"""
    small = {"OTEL_TRACES_EXPORTER": "store", "REMORA_STORE_MAX_BYTES": "4000", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "20"}
    done = _doctor("--", sys.executable, "-c", code, env={**env, **small, "OTEL_METRICS_EXPORTER": "none"})
    said = " ".join(done.stdout.split())
    assert "spans of the local store were overwritten by newer ones" in said
    assert "REMORA_STORE_MAX_BYTES" in said


def test_every_library_has_its_state(env: dict[str, str], site_packages: SitePackages) -> None:
    site_packages.install("fakelib", "0.9")
    site_packages.install_plugin("fakelib>=1,<2")
    (site_packages.folder / "fakelib.py").touch()
    env = {**env, "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "threading"}
    done = _doctor("--", sys.executable, "-c", "import fakelib; " + QUERY, env=env)
    lines = done.stdout.splitlines()
    states = [" ".join(line.split()[1:]) for line in lines if line.startswith("  ")]
    assert done.exit_code == 1
    assert "sqlite3: traced" in states
    assert any(state.startswith("fakelib 0.9: refused, fakelib 0.9 is older") for state in states)
    assert any(state.startswith("threading: off, disabled by OTEL_PYTHON_DISABLED") for state in states)
    unused = " ".join(done.stdout.split()).partition("not imported by the program: ")[2].partition(" · ")[0]
    assert "wsgiref" in unused.split(", ")


def test_a_plugin_that_fails_is_told_with_its_cause_and_its_own_line(
    env: dict[str, str], site_packages: SitePackages
) -> None:
    site_packages.install("fakelib", "1.4")
    site_packages.install_plugin("fakelib>=1,<2")
    (site_packages.folder / "fakelib.py").write_text("def send(password): return 200\n")
    (site_packages.folder / "acme_patches.py").write_text(
        "def patch(library, patcher):\n    patcher.wrap(library, 'send', reads=_request)\n\n"
        "def _request(password):\n    raise ValueError(f'no call: password={password}')\n"
    )
    done = _doctor("--", sys.executable, "-c", "import fakelib; fakelib.send('hunter2')", env=env)
    said = " ".join(done.stdout.split())
    fault = f"reads: ValueError: no call: password=REDACTED at {site_packages.folder}/acme_patches.py:5"
    assert f"✗ fakelib 1.4: traced, with 1 fault, the last: {fault}" in said
    assert done.stderr.count(fault) == 1
    assert "hunter2" not in done.stderr + done.stdout.replace("fakelib.send('hunter2')", "")


def test_a_patch_function_that_is_not_there_is_told_by_the_run(
    env: dict[str, str], site_packages: SitePackages
) -> None:
    site_packages.install("fakelib", "1.4")
    site_packages.install_plugin("fakelib>=1,<2", reference="acme_patches:pach")
    report = _report(sys.executable, "-c", "import fakelib", env=env)
    (problem,) = [text for text in report["problems"] if text.startswith("fakelib")]
    assert "acme_patches:pach failed at the import of fakelib: AttributeError" in problem
    assert "has no attribute 'pach'" in problem


def test_a_program_with_a_provider_of_its_own_is_told_what_that_means(env: dict[str, str]) -> None:
    code = f"""
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
with trace.get_tracer("own").start_as_current_span("own"):
    {QUERY}
"""
    done = _doctor("--", sys.executable, "-c", code, env=env)
    said = " ".join(done.stdout.split())
    assert "Provider opentelemetry.sdk.trace.TracerProvider" in said
    assert "Spans of Remora's plugins go through Remora only" in said


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["/bin/echo", "hello"], "the command started no Python that has Remora"),
        (["/no/such/program"], "could not be started"),
        ([sys.executable, "-I", "-c", "pass"], "-I, -E or -S"),
        ([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], "SIGKILL ended the process"),
    ],
)
def test_a_command_that_does_not_report_is_explained(command: list[str], told: str, env: dict[str, str]) -> None:
    assert told in _report(*command, env=env)["verdict"]


def test_what_is_switched_off_is_told_so(env: dict[str, str]) -> None:
    report = _report(sys.executable, "-c", "pass", env={**env, "REMORA_ENABLED": "false"})
    assert "switched off" in report["verdict"]


def test_json_is_all_that_comes_on_stdout(env: dict[str, str]) -> None:
    done = _doctor("--json", "--", sys.executable, "-c", QUERY, env=env)
    assert json.loads(done.stdout)["exit_code"] == 0
    assert "done" in done.stderr


@pytest.mark.parametrize("words", [["--"], ["1", "--", "true"], ["python", "app.py"]])
def test_wrong_usage_is_told_the_right_one(words: list[str], env: dict[str, str]) -> None:
    done = _doctor(*words, env=env)
    assert done.exit_code == 2
    assert "remora doctor" in done.stderr
