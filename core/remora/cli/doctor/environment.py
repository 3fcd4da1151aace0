"""This environment: would a Python program that is started from here be traced, and where would its spans go?"""

from __future__ import annotations

import os
import sys

import remora
from remora import settings
from remora.cli import amounts, catalogue, launching
from remora.cli.doctor import local_store, probe
from remora.cli.doctor.findings import Report
from remora.cli.doctor.left_out import inherited_unsampled
from remora.process import children
from remora.settings.endpoints import without_secrets
from remora.settings.unread import unread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from remora.cli.catalogue import Item
    from remora.cli.doctor.findings import Section
    from remora.settings import Settings
    from remora.settings.loading import Loaded

_COMPILED = {
    "spans": "remora.telemetry.spans_cy",
    "operation": "remora.operation.running_cy",
    "intake": "remora.pipeline.intake_cy",
    "otlp": "remora.otlp.traces",
}

_SAMPLED = 1


def examine(environ: Mapping[str, str]) -> Report:
    """Look at everything, and send the probe span."""
    report = Report({"subject": "environment"})
    loaded = settings.load(environ)
    _interpreter(report, environ)
    _settings(report, loaded, environ)
    _libraries(report, loaded.settings)
    _delivery(report, loaded.settings, environ)
    local_store.examine(report, loaded.settings)
    return report


def _interpreter(report: Report, environ: Mapping[str, str]) -> None:
    version = ".".join(str(part) for part in sys.version_info[:3])
    implementation = sys.implementation.name.replace("cpython", "CPython")
    section = report.section("Python", f"{implementation} {version}, {sys.executable}")
    report.data["interpreter"] = {
        "implementation": sys.implementation.name,
        "version": version,
        "executable": sys.executable,
    }
    compiled = {part: _is_compiled(module) for part, module in _COMPILED.items()}
    report.data["version"] = remora.__version__
    report.data["compiled"] = compiled
    plain = [part for part, is_compiled in compiled.items() if not is_compiled]
    if not plain:
        section.good(f"Remora {remora.__version__}, compiled core")
    else:
        what = "core" if len(plain) == len(compiled) else f"parts of the core ({', '.join(plain)})"
        section.note(
            f"Remora {remora.__version__}, {what} in plain Python: everything works, slower; "
            "where there is a C compiler, `pip install --force-reinstall --no-binary remora remora` compiles it"
        )
    onpath = launching.folder()
    injected = onpath in environ.get("PYTHONPATH", "").split(os.pathsep)
    report.data["injected"] = injected
    if injected:
        section.good("every Python that is started from here starts Remora (PYTHONPATH)")
    else:
        section.note("a program is traced if started by `remora run`, or with what `remora run --print-env` prints")


def _is_compiled(name: str) -> bool:
    from importlib import import_module

    return bool(getattr(import_module(name), "COMPILED", False))


def _settings(report: Report, loaded: Loaded, environ: Mapping[str, str]) -> None:
    chosen = loaded.settings
    given = sum(origin == "environment" for origin in loaded.origins.values())
    section = report.section("Settings", f"{amounts.count(given, 'variable')} set (remora env lists all)")
    report.data["settings"] = {"enabled": chosen.enabled, "problems": list(loaded.problems)}
    if not chosen.enabled:
        switch = "REMORA_ENABLED" if not loaded.values["REMORA_ENABLED"] else "OTEL_SDK_DISABLED"
        section.problem(f"everything is switched off by {switch}: unset it", urgent=True)
    for problem in loaded.problems:
        section.problem(problem)
    for text in _silent(chosen):
        section.problem(text, urgent=True)
    unsampled = _unsampled_parent(chosen, environ)
    if unsampled:
        section.problem(unsampled)
    vain = unread(environ)
    if vain:
        section.note(vain)
    if chosen.excluded_urls:
        section.note(f"REMORA_EXCLUDED_URLS={','.join(chosen.excluded_urls)}: such requests are left out")
    if any(chosen.excluded_expressions.values()):
        section.note("OTEL_PYTHON_*_EXCLUDED_URLS: requests whose URLs they match are left out")
    if 0 < _ratio(chosen) < 1:
        section.note(f"{_ratio(chosen):.4g} of all traces are kept: {_sampler(chosen)}")


def _silent(chosen: Settings) -> list[str]:
    """Settings that are right and leave no spans."""
    found = []
    if chosen.traces_exporter == ("none",):
        found.append("OTEL_TRACES_EXPORTER=none: traces go nowhere; unset it")
    if chosen.traces_sampler.endswith("always_off"):
        found.append(f"{_sampler(chosen)}: no trace is kept that starts here; unset it")
    elif _ratio(chosen) == 0:
        found.append(f"{_sampler(chosen)}: no trace is kept that starts here; raise the ratio")
    return found


def _unsampled_parent(chosen: Settings, environ: Mapping[str, str]) -> str:
    traceparent = children.inherited(environ) if chosen.propagate_to_children else None
    if traceparent is None or int(traceparent.split("-")[3], 16) & _SAMPLED:
        return ""
    return inherited_unsampled(chosen.traces_sampler)


def _ratio(chosen: Settings) -> float:
    """The part of all traces that is kept."""
    if chosen.traces_sampler.endswith("traceidratio") and chosen.traces_sampler_arg is not None:
        return float(chosen.traces_sampler_arg)
    return 1.0


def _sampler(chosen: Settings) -> str:
    argument = f", OTEL_TRACES_SAMPLER_ARG={chosen.traces_sampler_arg}" if chosen.traces_sampler_arg else ""
    return f"OTEL_TRACES_SAMPLER={chosen.traces_sampler}{argument}"


def _libraries(report: Report, chosen: Settings) -> None:
    found = catalogue.survey(chosen)
    report.data["libraries"] = [item.as_dict() for item in found.items]
    report.data["plugins"] = {"problems": found.problems}
    here = [item for item in found.items if item.state != catalogue.NOT_INSTALLED]
    on = sum(item.state in (catalogue.ON, catalogue.ON_UNTESTED) for item in here)
    section = report.section("Libraries", f"{on} of {len(found.items)} would be traced")
    for item in here:
        _library(section, item)
    absent = []
    for item in found.items:
        if item.state == catalogue.NOT_INSTALLED and "though module" in item.reason:
            section.note(f"{item.name}: {item.state}, {item.reason}")
        elif item.state == catalogue.NOT_INSTALLED:
            absent.append(item.name)
    if absent:
        section.note(f"not installed: {', '.join(absent)}")
    for problem in found.problems:
        section.problem(problem)
    if not found.items:
        section.problem(
            "no plugin is known, not even Remora's own, which its distribution names: install it with pip, "
            "a folder of its sources on PYTHONPATH is not enough",
            urgent=True,
        )


def _library(section: Section, item: Item) -> None:
    name = f"{item.name} {item.library}".rstrip()
    if item.state == catalogue.ON:
        section.good(name)
    elif item.state == catalogue.REFUSED_VERSION:
        section.problem(f"{name}: refused, {item.reason}; upgrade it, or disable the plugin to have this settled")
    elif item.state == catalogue.ON_UNTESTED:
        section.note(f"{name}: would be traced, untested: {item.reason}")
    else:
        section.note(f"{name}: {item.state}, {item.reason}")


def _delivery(report: Report, chosen: Settings, environ: Mapping[str, str]) -> None:
    otlp = chosen.traces_otlp
    shown = without_secrets(otlp.endpoint)
    data: dict[str, Any] = {
        "endpoint": shown,
        "protocol": otlp.protocol,
        "compression": otlp.compression,
        "configured": otlp.configured,
        "exporters": list(chosen.traces_exporter),
        "probe": None,
    }
    report.data["exporter"] = data
    if "otlp" not in chosen.traces_exporter:
        where = "traces go to the local store" if "store" in chosen.traces_exporter else "no endpoint is used"
        report.section("Delivery", f"OTEL_TRACES_EXPORTER={','.join(chosen.traces_exporter)}: {where}")
        return
    section = report.section("Delivery", f"{shown}, {otlp.protocol}")
    probed = probe.send(chosen, environ)
    data["probe"] = {
        "delivered": probed.delivered,
        "status": int(probed.status) if probed.status else None,
        "codec": probed.codec,
        "detail": probed.trouble,
        "took_s": round(probed.took_s, 3),
    }
    took = amounts.duration(int(probed.took_s * 1e9))
    if probed.delivered:
        status = f", status {probed.status}" if probed.status else ""
        section.good(f"the probe span was accepted{status}: {probed.codec}, {took}")
    elif otlp.configured or not _refused(probed.trouble):
        section.problem(f"the probe span was not delivered to {shown}: {probed.trouble}", urgent=True)
    else:
        section.note(
            f"no endpoint is set and nobody listens on {shown}: traces go to the local store (remora show); "
            "set OTEL_EXPORTER_OTLP_ENDPOINT to send them to a collector"
        )


def _refused(trouble: str) -> bool:
    return trouble.startswith("connection refused")
