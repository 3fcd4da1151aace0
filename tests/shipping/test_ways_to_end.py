"""Every way a process can end: what has ended before is delivered or stored, and the end is not delayed for long."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections import Counter

import pytest

from shipping.programs import program
from support.processes import environment
from support.receiver import Receiver

WAYS = {
    "return": ("work()", 0),
    "exception": ("work(); raise RuntimeError('mine')", 1),
    "sys.exit": ("work(); sys.exit(3)", 3),
    "SIGTERM by itself": ("work(); os.kill(os.getpid(), 15); time.sleep(30)", -15),
    "SIGINT by itself": ("work(); os.kill(os.getpid(), 2); time.sleep(30)", -2),
    "SIGHUP by itself": ("work(); os.kill(os.getpid(), 1); time.sleep(30)", -1),
    "os._exit": ("work(); os._exit(4)", 4),
    "exec": ("work(); os.execv(sys.executable, [sys.executable, '-c', 'pass'])", 0),
    "a daemon thread still running": (
        "import threading; threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); work()",
        0,
    ),
    "a thread that outlives main": (
        "import threading; threading.Thread(target=lambda: (time.sleep(0.3), work())).start()",
        0,
    ),
    "a span in an atexit handler": ("import atexit; atexit.register(work)", 0),
    "its own SIGTERM handler": (
        "import signal; signal.signal(15, lambda *_: sys.exit(5)); work(); os.kill(os.getpid(), 15); time.sleep(30)",
        5,
    ),
}


def ended(receiver, text, **env):
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, **env}
    started_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program(text)], env=environment(env=env), capture_output=True, text=True, timeout=60
    )
    return done, time.monotonic() - started_s


@pytest.mark.parametrize("way", WAYS)
def test_all_ended_spans_arrive(way):
    text, exit_code = WAYS[way]
    with Receiver() as receiver:
        done, _ = ended(receiver, text)
        assert done.returncode == exit_code, done.stderr
        assert Counter(span["name"] for span in receiver.spans()) == {"work": 20}
    assert [line for line in done.stderr.splitlines() if line.startswith("remora:")] == []


def test_sigterm_from_outside_while_the_program_sleeps():
    with Receiver() as receiver:
        process = subprocess.Popen(
            [sys.executable, "-c", program("work(); print('ready', flush=True); time.sleep(60)")],
            env=environment(env={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == -signal.SIGTERM
        process.stdout.close()
        assert len(receiver.spans()) == 20


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_deliver_their_spans_once_in_the_trace_of_their_parent(method, tmp_path):
    script = tmp_path / "many.py"
    script.write_text(
        program(
            f"""
            import multiprocessing
            def child(number):
                work(5, f"child {{number}}")
            if __name__ == "__main__":
                context = multiprocessing.get_context({method!r})
                with tracer.start_as_current_span("parent"):
                    children = [context.Process(target=child, args=(number,)) for number in range(4)]
                    for process in children: process.start()
                    for process in children: process.join()
            """
        )
    )
    with Receiver() as receiver:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        done = subprocess.run(
            [sys.executable, str(script)], env=environment(env=env), capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        spans = receiver.spans()
    expected = {"parent": 1, **{f"child {number}": 5 for number in range(4)}}
    assert Counter(span["name"] for span in spans) == expected
    assert len({span["span_id"] for span in spans}) == 21
    assert len({span["trace_id"] for span in spans}) == 1
    assert len({span["resource"]["service.instance.id"] for span in spans}) == 5
    assert len({span["resource"]["process.pid"] for span in spans}) == 5


def test_a_forked_child_that_leaves_by_os_exit_delivers_its_own_spans_only():
    with Receiver() as receiver:
        done, _ = ended(
            receiver,
            """
            work(10, "before")
            pid = os.fork()
            if pid == 0:
                work(10, "child")
                os._exit(0)
            os.waitpid(pid, 0)
            work(10, "after")
            """,
        )
        assert done.returncode == 0, done.stderr
        assert Counter(span["name"] for span in receiver.spans()) == {"before": 10, "child": 10, "after": 10}


def test_a_subprocess_joins_the_trace():
    with Receiver() as receiver:
        ended(
            receiver,
            """
            import subprocess
            child = "from opentelemetry import trace; trace.get_tracer('c').start_span('child').end()"
            with tracer.start_as_current_span("parent"):
                subprocess.run([sys.executable, "-c", child], check=True)
            """,
        )
        spans = {span["name"]: span for span in receiver.spans()}
    assert spans["child"]["parent_id"] == spans["parent"]["span_id"]
    assert spans["child"]["trace_id"] == spans["parent"]["trace_id"]


def test_children_do_not_join_when_that_is_switched_off():
    with Receiver() as receiver:
        ended(
            receiver,
            """
            import subprocess
            child = "from opentelemetry import trace; trace.get_tracer('c').start_span('child').end()"
            with tracer.start_as_current_span("parent"):
                subprocess.run([sys.executable, "-c", child], check=True)
            """,
            REMORA_PROPAGATE_TO_CHILDREN="false",
        )
        spans = {span["name"]: span for span in receiver.spans()}
    assert spans["child"]["trace_id"] != spans["parent"]["trace_id"]


def stored(state):
    from remora.otlp.decode import decode_traces
    from remora.store.reader import Reader

    count = 0
    for entry in Reader(str(state / "remora")).read():
        for resource in decode_traces(entry.body):
            count += sum(len(scope.spans) for scope in resource.scopes)
    return count


@pytest.mark.parametrize("way", ["return", "exception", "SIGTERM by itself", "os._exit"])
@pytest.mark.parametrize("collector", ["refused", "hanging", "503"])
def test_with_a_dead_collector_everything_is_stored_and_the_exit_is_not_late(way, collector, tmp_path):
    text, exit_code = WAYS[way]
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if collector == "hanging":
            listener.listen(8)
        port = listener.getsockname()[1]
        with Receiver() as receiver:
            receiver.plan(*[503] * 50)
            url = receiver.url if collector == "503" else f"http://127.0.0.1:{port}"
            env = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "XDG_STATE_HOME": str(tmp_path)}
            code = program("import time; at = time.monotonic(); " + text)
            plain_s = measured([sys.executable, "-c", program(text.replace("work()", "pass"))], env)
            done = subprocess.Popen([sys.executable, "-c", code], env=environment(env=env), stderr=subprocess.PIPE)
            started_s = time.monotonic()
            done.communicate(timeout=30)
            took_s = time.monotonic() - started_s
    assert done.returncode == exit_code
    assert stored(tmp_path) == 20
    assert took_s - plain_s < 2.5


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_a_delivery_waits_for_its_retry_stores_everything(signal_number, tmp_path):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{nobody.getsockname()[1]}",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "XDG_STATE_HOME": str(tmp_path),
        }
        code = program("work(); time.sleep(1); work(); print('ready', flush=True); time.sleep(60)")
        process = subprocess.Popen([sys.executable, "-c", code], env=environment(env=env), stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal_number)
        assert process.wait(5) == -signal_number
        process.stdout.close()
    assert stored(tmp_path) == 40


def measured(command, env):
    started_s = time.monotonic()
    subprocess.run(command, env=environment(env=env), capture_output=True, timeout=60, check=False)
    return time.monotonic() - started_s


def test_gunicorn_workers_deliver_on_graceful_stop(tmp_path):
    (tmp_path / "shop.py").write_text("import flask\napp = flask.Flask('shop')\napp.route('/')(lambda: 'ok')\n")
    with Receiver() as receiver, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "PYTHONPATH": str(tmp_path)}
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-w", "2", "-b", f"127.0.0.1:{port}", "shop:app"],
            env=environment(env=env),
            cwd=tmp_path,
            stderr=subprocess.DEVNULL,
        )
        try:
            answers = 0
            patience = time.monotonic() + 20
            while answers < 20 and time.monotonic() < patience:
                try:
                    answers += ask(port)
                except OSError:
                    time.sleep(0.05)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        spans = [span for span in receiver.spans() if span["kind"] == "server"]
    assert answers == 20
    assert len(spans) == 20
    assert {span["resource"]["service.name"] for span in spans} == {"shop"}


def ask(port):
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read() == b"ok"
    finally:
        connection.close()
