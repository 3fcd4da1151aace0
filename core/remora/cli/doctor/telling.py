"""The status report that a traced process writes about itself, in plain words."""

from __future__ import annotations

import time

from remora.cli import amounts
from remora.cli.doctor.left_out import reasons as left_out_by
from remora.cli.doctor.libraries import tell_libraries
from remora.cli.doctor.silence import counted, why_none
from remora.settings.endpoints import without_secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from remora.cli.doctor.findings import Report, Section

_MENDS: Final = {
    "queue_full": "more spans than the queue takes: raise OTEL_BSP_MAX_QUEUE_SIZE and REMORA_QUEUE_MAX_BYTES",
    "unencodable": "they could not be encoded: please report this",
    "rejected": "the collector calls them invalid: look at its log",
    "rejected_by_collector": "the collector took only part of what it was sent: look at its log",
    "too_large": "a single span is larger than the collector takes: raise its limit, or shorten long texts with "
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "unreachable": "the collector could not be reached, nor the local store written",
    "timeout": "the collector did not answer in time, nor could the local store be written",
    "unavailable": "the collector was out of order, and the local store could not be written",
    "unauthorized": "the collector wants other credentials: set OTEL_EXPORTER_OTLP_HEADERS",
    "misdirected": "the endpoint does not speak OTLP as it is told to: look at OTEL_EXPORTER_OTLP_ENDPOINT",
    "unstored": "the local store could not take them: look at REMORA_STORE_DIR and REMORA_STORE_MAX_BYTES",
    "exit_deadline": "the process ended first: raise REMORA_EXIT_TIMEOUT",
}


def tell(report: Report, status: dict[str, Any], *, ended: bool) -> None:
    """Add sections for what is in ``status``; keys that it lacks, as another version may, are passed over."""
    _process(report, status, ended=ended)
    _settings(report, status)
    tell_libraries(report, status)
    _provider(report, status)
    _spans(report, status, ended=ended)
    _metrics(report, status)
    _delivery(report, status)
    _said(report, status)


def tell_of_parent(report: Report, pid: int, parent: dict[str, Any]) -> None:
    """Add sections for a process that was forked from ``parent`` and has not reported by itself."""
    section = report.section("Process", f"{pid}, forked from {parent.get('pid')}")
    section.good(f"Remora is in it, as in {parent.get('pid')}, which reports")
    section.note("no span was sent or stored here yet; it reports by itself a few seconds after its first one")
    tell_libraries(report, parent)
    _delivery(report, parent)


def spans_made(status: dict[str, Any]) -> int:
    """How many spans that process made."""
    return int(((status.get("books") or {}).get("traces") or {}).get("produced") or 0)


def _process(report: Report, status: dict[str, Any], *, ended: bool) -> None:
    command = " ".join(str(word) for word in status.get("command") or ())
    section = report.section("Process", f"{status.get('pid')}, {command}")
    service = status.get("service_name")
    if service:
        section.good(f"service {service}, instance {status.get('service_instance_id') or 'not named yet'}")
    compiled = status.get("compiled") or {}
    plain = [part for part, is_compiled in compiled.items() if not is_compiled]
    core = "compiled core" if compiled else "not in use yet"
    if plain:
        core = f"in plain Python: {', '.join(plain)}"
    python = f"Python {status.get('python')} ({status.get('executable')})"
    section.good(f"Remora {status.get('version')} in {python}, {core}")
    if not ended and status.get("written_unix_s"):
        age_ns = int((time.time() - float(status["written_unix_s"])) * 1e9)
        section.note(
            f"as it reported {amounts.duration(max(0, age_ns))} ago; it reports again when spans were sent or stored"
        )


def _settings(report: Report, status: dict[str, Any]) -> None:
    problems = [str(problem) for problem in status.get("problems") or ()]
    if problems:
        section = report.section("Settings", "of that process")
        for problem in problems:
            section.problem(problem)


def _provider(report: Report, status: dict[str, Any]) -> None:
    provider = status.get("provider") or {}
    if provider.get("owner") == "program":
        section = report.section("Provider", str(provider.get("detail") or "the program's own"))
        section.note(
            "The program set a tracer provider of its own and keeps it. Spans that it makes with the OpenTelemetry API "
            "go through its provider, to its exporters, and a copy of each is forwarded to Remora. Spans of Remora's "
            "plugins go through Remora only: the program's processors and exporters do not see them. To have all "
            "spans in one place, let the program set no provider under Remora."
        )


def _spans(report: Report, status: dict[str, Any], *, ended: bool) -> None:
    books: dict[str, Any] = (status.get("books") or {}).get("traces") or {}
    produced = spans_made(status)
    section = report.section("Spans", f"{produced:,} made" if counted(status) else "not counted")
    if not produced:
        why, wanted = why_none(status)
        if wanted or not counted(status):
            (section.note if wanted else section.problem)(why)
        elif ended:
            section.problem(f"no span was made: {why}", urgent=True)
        else:
            section.note(f"no span was made yet: {why}")
        return
    _went(section, books)
    for reason in left_out_by(status):
        section.note(reason)
    evicted = (status.get("evicted") or {}).get("items")
    if evicted:
        what = "spans" if set(status["books"]) == {"traces"} else "spans, points and records"
        section.note(
            f"{evicted:,} {what} of the local store were overwritten by newer ones: to keep more, raise "
            "REMORA_STORE_MAX_BYTES"
        )
    _dropped(section, books, produced)
    if not books.get("balanced", True):
        text = f"the books do not balance: {books}"
        if ended:
            section.problem(f"{text}; please report this")
        else:
            section.note(f"{text}; in a busy process that may be the moment of counting")


def _metrics(report: Report, status: dict[str, Any]) -> None:
    books: dict[str, Any] | None = (status.get("books") or {}).get("metrics")
    if books is None:
        return
    produced = int(books.get("produced") or 0)
    section = report.section("Metrics", f"{produced:,} points collected")
    if not produced:
        section.note("they are collected every OTEL_METRIC_EXPORT_INTERVAL, and when the process ends")
    _went(section, books)
    _dropped(section, books, produced)


def _went(section: Section, books: dict[str, Any]) -> None:
    for key, words in (
        ("exported", "delivered to the collector"),
        ("stored", "kept in the local store: remora show"),
        ("queued", "waiting to be sent"),
    ):
        if books.get(key):
            (section.note if key == "queued" else section.good)(f"{books[key]:,} {words}")


def _dropped(section: Section, books: dict[str, Any], produced: int) -> None:
    for reason, count in (books.get("dropped") or {}).items():
        mend = _MENDS.get(reason, "please report this")
        section.problem(f"{count:,} dropped, {reason}: {mend}", urgent=count == produced)


def _delivery(report: Report, status: dict[str, Any]) -> None:
    exporter: dict[str, Any] = status.get("exporter") or {}
    exporters = exporter.get("exporters") or ("otlp",)
    if "otlp" not in exporters:
        if "store" in exporters:
            section = report.section("Delivery", f"OTEL_TRACES_EXPORTER={','.join(exporters)}")
            section.good(f"everything goes to the local store, {status.get('store')}: remora show")
        return
    endpoint = without_secrets(str(exporter.get("endpoint")))
    codec = exporter.get("codec") or exporter.get("compression")
    section = report.section("Delivery", f"{endpoint}, {exporter.get('protocol')}, {codec}")
    trouble = exporter.get("trouble") or exporter.get("detail")
    if trouble:
        section.problem(f"deliveries to {endpoint} fail: {trouble}", urgent=True)
    elif not exporter.get("configured"):
        section.note("no endpoint is set: spans go to the local store unless somebody listens there")
    else:
        section.good("no trouble so far")
    if exporter.get("limit_bytes"):
        section.note(f"the endpoint takes at most {exporter['limit_bytes']} bytes at once; batches are split")


def _said(report: Report, status: dict[str, Any]) -> None:
    told = set(report.problems)
    said = [
        one
        for one in status.get("said") or ()
        if one.get("level") in ("warning", "error") and one.get("message") not in told
    ]
    if said:
        section = report.section("Said", "what Remora wrote to the program's stderr")
        for one in said:
            times = f" ({one['times']} times)" if one.get("times", 1) > 1 else ""
            section.note(f"{one.get('message')}{times}")
