"""What one process can say about itself: the answer to "why is a span missing?"."""

from __future__ import annotations

import os
import sys
from time import time

import remora
from remora import diagnostics

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from remora.bootstrap import Agent
    from remora.bootstrap.assembly import Assembly
    from remora.settings import Settings


def report(agent: Agent, assembly: Assembly | None) -> dict[str, Any]:
    """JSON-able; the keys are read by ``remora doctor``."""
    settings = agent.settings
    exporter = settings.traces_otlp
    answer: dict[str, Any] = {
        "version": remora.__version__,
        "pid": os.getpid(),
        "command": list(getattr(sys, "orig_argv", sys.argv)),
        "python": sys.version.split()[0],
        "executable": sys.executable,
        "started_unix_s": agent.started_unix_s,
        "written_unix_s": time(),
        "service_name": settings.service_name,
        "service_instance_id": None,
        "compiled": _compiled(),
        "libraries": [row.as_dict() for row in agent.host.report()],
        "books": {},
        "exporter": {
            "endpoint": exporter.endpoint,
            "protocol": exporter.protocol,
            "compression": exporter.compression,
            "configured": exporter.configured,
            "exporters": list(settings.traces_exporter),
        },
        "metrics_exporter": {
            "endpoint": settings.metrics_otlp.endpoint,
            "protocol": settings.metrics_otlp.protocol,
            "compression": settings.metrics_otlp.compression,
            "configured": settings.metrics_otlp.configured,
            "exporters": list(settings.metrics_exporter),
        },
        "sampler": {"name": settings.traces_sampler, "argument": settings.traces_sampler_arg},
        "excluding": _excluding(settings),
        "left_out": {},
        "unsampled": {"requests": 0, "process": False},
        "evicted": {},
        "store": settings.store_dir,
        "provider": {"owner": "remora", "detail": ""},
        "problems": [*agent.problems, *agent.host.problems],
        "said": [
            {"level": one.level, "message": one.message, "times": one.times} for one in diagnostics.spoken.values()
        ],
    }
    if assembly is not None:
        answer["left_out"] = assembly.house.left_out()
        answer["unsampled"] = {"requests": assembly.propagation.unsampled, "process": assembly.inherits_unsampled()}
        if assembly.resource is not None:
            answer["service_name"] = assembly.resource.attributes.get("service" + ".name")
            answer["service_instance_id"] = assembly.resource.attributes.get("service" + ".instance.id")
        if assembly.foreign_provider is not None:
            answer["provider"] = {"owner": "program", "detail": assembly.foreign_provider}
        if assembly.shipping is not None:
            line = assembly.shipping.line
            answer["books"]["traces"] = line.books.report()
            answer["exporter"].update(line.condition())
            metrics = assembly.shipping.metrics
            if metrics is not None:
                answer["books"]["metrics"] = metrics.books.report()
                answer["metrics_exporter"].update(metrics.condition())
            gone = assembly.shipping.store.evicted
            answer["evicted"] = {"items": gone.items, "bytes": gone.bytes, "files": gone.files}
    return answer


def _excluding(settings: Settings) -> list[str]:
    """The variables that leave requests out."""
    named = ["REMORA_EXCLUDED_URLS"] if settings.excluded_urls else []
    return [*named, "OTEL_PYTHON_*_EXCLUDED_URLS"] if any(settings.excluded_expressions.values()) else named


def _compiled() -> dict[str, bool]:
    parts = {
        "spans": "remora.telemetry.spans_cy",
        "operation": "remora.operation.running_cy",
        "metrics": "remora.telemetry.metrics_cy",
        "intake": "remora.pipeline.intake_cy",
        "otlp": "remora.otlp.traces",
    }
    loaded = {part: sys.modules.get(module) for part, module in parts.items()}
    return {part: bool(getattr(module, "COMPILED", False)) for part, module in loaded.items() if module is not None}
