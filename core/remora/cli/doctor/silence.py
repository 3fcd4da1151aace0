"""Why a process made no span, as far as its own report tells: the settings that keep them away come first."""

from __future__ import annotations

from remora.cli.doctor.left_out import reasons as left_out_by
from remora.cli.doctor.libraries import ARMED, BROKEN
from remora.host import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

_CONTEXT: Final = ("threading", "futures")  # carry traces along, and make no spans


def why_none(status: dict[str, Any]) -> tuple[str, bool]:
    """The reason with its mend, and whether it is what the user asked for and so nothing to mend."""
    exporters = tuple((status.get("exporter") or {}).get("exporters") or ("otlp",))
    if exporters == ("console",):
        return "OTEL_TRACES_EXPORTER=console: spans are printed by the program, not counted and not sent", True
    if exporters == ("none",):
        return "OTEL_TRACES_EXPORTER=none: what is traced goes nowhere; unset it", False
    reasons = (_off(status), *(left_out_by(status) or [_nothing_called(status)]))
    return _sampled_away(status) or "; ".join(filter(None, reasons)), False


def counted(status: dict[str, Any]) -> bool:
    """Whether there are books: spans on the console are output, and where none are wanted nobody counts."""
    exporters = (status.get("exporter") or {}).get("exporters") or ("otlp",)
    return "otlp" in exporters or "store" in exporters


def _sampled_away(status: dict[str, Any]) -> str:
    sampler = status.get("sampler") or {}
    name, argument = str(sampler.get("name") or ""), sampler.get("argument")
    if name.endswith("always_off"):
        return f"OTEL_TRACES_SAMPLER={name}: no trace is kept{_but_of_callers(name)}; unset it"
    if name.endswith("traceidratio") and argument is not None:
        setting = f"OTEL_TRACES_SAMPLER={name}, OTEL_TRACES_SAMPLER_ARG={argument}"
        try:
            ratio = float(argument)
        except ValueError:
            return ""
        if ratio == 0:
            return f"{setting}: no trace is kept{_but_of_callers(name)}; raise the ratio"
        if ratio < 1 and _working(status):
            return f"{setting}: only {ratio:.4g} of all traces are kept, perhaps none of so few; try with 1"
    return ""


def _but_of_callers(name: str) -> str:
    return " but those that a caller has begun" if name.startswith("parentbased_") else ""


def _off(status: dict[str, Any]) -> str:
    """Libraries that the program imports, and that are not traced."""
    imported = [row for row in status.get("libraries") or () if row.get("imported") and row.get("name") not in _CONTEXT]
    told: dict[str, list[str]] = {}
    for row in imported:
        if row.get("state") == rows.DISABLED:
            told.setdefault(f"off, {row.get('reason')}", []).append(str(row.get("name")))
        elif row.get("state") in (*BROKEN, rows.REFUSED):
            told.setdefault(f"{row.get('state')}, {row.get('reason')}", []).append(str(row.get("name")))
    return "; ".join(f"{', '.join(names)} {_is(names)} {reason}" for reason, names in told.items())


def _nothing_called(status: dict[str, Any]) -> str:
    working = _working(status)
    if working:
        traced = f"{', '.join(working)} {_is(working)} traced"
        return f"{traced}, but nothing was called that makes a span: no request, no query"
    if _off(status):
        return ""
    return "the program imported no library that Remora traces, and made no span with the OpenTelemetry API"


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _working(status: dict[str, Any]) -> list[str]:
    """The armed plugins that make spans."""
    armed = (row for row in status.get("libraries") or () if row.get("state") in ARMED)
    return [str(row.get("name")) for row in armed if row.get("name") not in _CONTEXT]
