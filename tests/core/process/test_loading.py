"""A fork never meets a half-done import of ours."""

from __future__ import annotations

import os
import sys

from support.processes import run_python
from support.receiver import Receiver


def test_children_forked_while_threads_make_the_first_spans_all_deliver():
    code = """
        import os, sys, threading, time
        from opentelemetry import trace
        tracer = trace.get_tracer("program")
        go = threading.Event()
        def work():
            go.wait()
            for _ in range(20):
                tracer.start_span("parent").end()
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads: thread.start()
        go.set()
        failed = 0
        for _ in range(25):
            pid = os.fork()
            if pid == 0:
                with tracer.start_as_current_span("child"):
                    pass
                os._exit(0)
            patience = time.monotonic() + 10
            while True:
                done, status = os.waitpid(pid, os.WNOHANG)
                if done or time.monotonic() > patience:
                    break
                time.sleep(0.005)
            if not done:
                os.kill(pid, 9)
                os.waitpid(pid, 0)
                sys.exit("a child hangs")
            failed += bool(status)
        for thread in threads: thread.join()
        sys.exit(failed)
    """
    for _ in range(3):
        with Receiver() as receiver:
            done = run_python(code, env={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "5"})
            assert done.exit_code == 0, done.stderr
            names = [span["name"] for span in receiver.spans()]
        assert (names.count("child"), names.count("parent")) == (25, 80)


def test_a_fork_waits_for_an_import_under_way(tmp_path):
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(0.3)\n")
    code = """
        import os, sys, threading, time
        from remora.process import loading
        loading.watch()
        def load():
            with loading.loading:
                import slow
        thread = threading.Thread(target=load)
        thread.start()
        time.sleep(0.1)
        pid = os.fork()
        if pid == 0:
            import slow
            with loading.loading:
                pass
            os._exit(7)
        thread.join()
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = run_python(code, env={"PYTHONPATH": path}, launched=False)
    assert done.exit_code == 7, done.stderr
