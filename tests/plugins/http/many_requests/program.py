"""`python program.py MODULE:CLASS FOLDER [LIBRARY]`: serves as the class says, until FOLDER/over appears.

Run under the launch. LIBRARY is gevent or eventlet, which have to patch the standard library before anything else.
Writes FOLDER/port, and at the end FOLDER/report: what Remora knows of itself.
"""

from __future__ import annotations

import sys

if sys.argv[3:] == ["gevent"]:
    import gevent.monkey

    gevent.monkey.patch_all()
elif sys.argv[3:] == ["eventlet"]:
    import eventlet

    eventlet.monkey_patch()

import importlib
import json
import logging
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))


class Told(logging.Handler):
    """Keeps what OpenTelemetry and Remora log; what applications that fail on purpose log goes nowhere."""

    def __init__(self):
        super().__init__()
        self.messages = []

    def emit(self, record):
        if record.name.startswith(("opentelemetry", "remora")):
            self.messages.append(record.getMessage())


def main(way, folder):
    warnings.simplefilter("ignore")  # of libraries, about themselves
    told = Told()
    logging.basicConfig(handlers=[told], level=logging.WARNING)
    module, _, name = way.partition(":")
    serving = getattr(importlib.import_module(module), name)().serving
    with serving() as port:
        (folder / "port.new").write_text(str(port))
        (folder / "port.new").rename(folder / "port")
        while not (folder / "over").exists():
            time.sleep(0.02)
    (folder / "report.new").write_text(json.dumps(report(told)))
    (folder / "report.new").rename(folder / "report")


def report(told):
    from opentelemetry import trace

    from remora import bootstrap

    trace.get_tracer_provider().force_flush()
    agent = bootstrap.agent()
    points = agent.assembly.metering.snapshot()
    under_way = {
        metric.name: sum(point.value for point in metric.points) for metric in points if "active" in metric.name
    }
    return {
        **agent.report(),
        "started": agent.assembly.engine.started,
        "finished": agent.assembly.engine.finished,
        "under_way": under_way,
        "logged": told.messages,
    }


main(sys.argv[1], Path(sys.argv[2]))
