"""Under gevent and eventlet the exporter keeps to real sockets: it neither needs nor disturbs their loops."""

from __future__ import annotations

import importlib.util

import pytest

from support.processes import run_python
from support.receiver import Receiver

PROGRAM = """
    import time
    {patch}
    from remora.export.chain import build
    from remora.export.genuine import genuine
    from remora.export.sender import Payload
    from remora.settings import load

    start = genuine("_thread", "start_new_thread")
    environ = {{"OTEL_EXPORTER_OTLP_ENDPOINT": {url!r}, "OTEL_EXPORTER_OTLP_CERTIFICATE": {ca!r}}}
    otlp = load(environ).settings.traces_otlp
    delivery = build(otlp, version="1", fallback=None, environ={{}}, first_backoff_s=0.01)
    done = []

    def work():
        for _ in range(3):
            outcome = delivery.send(Payload("traces", b"", 1), time.monotonic() + 5)
            done.append((outcome.delivered, {loops}))

    start(work, ())
    sleep = genuine("time", "sleep")
    for _ in range(500):  # a real sleep: the green loop of this thread stands still meanwhile
        if len(done) == 3:
            break
        sleep(0.01)
    print(done, "greened" if {green} else "plain")
"""
# How to patch everything, whether that was done, and whether the thread that asks has a loop of its own.
PATCHES = {
    "gevent": (
        "from gevent import monkey; monkey.patch_all(); from gevent._hub_local import get_hub_if_exists",
        "monkey.is_module_patched('socket')",
        "get_hub_if_exists() is not None",
    ),
    "eventlet": (
        "import eventlet; eventlet.monkey_patch(); from eventlet import hubs",
        "eventlet.patcher.is_monkey_patched('socket')",
        "hasattr(hubs._threadlocal, 'hub')",
    ),
}


@pytest.mark.parametrize("library", ["gevent", "eventlet"])
@pytest.mark.parametrize("tls", [False, True])
def test_payloads_arrive_with_everything_patched(library: str, tls: bool, certificates: object) -> None:
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    patch, green, loops = PATCHES[library]
    with Receiver(503, tls=certificates.server if tls else None) as receiver:  # type: ignore[attr-defined]
        program = PROGRAM.format(
            patch=patch,
            green=green,
            loops=loops,
            url=receiver.url.replace("127.0.0.1", "localhost"),
            ca=certificates.ca if tls else "",  # type: ignore[attr-defined]
        )
        finished = run_python(program, launched=False, options=["-W", "ignore"])
        assert finished.stdout.strip() == "[(1, False), (1, False), (1, False)] greened", finished.stderr
        assert receiver.connections == 1
