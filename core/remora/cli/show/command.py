"""`remora show`: what the local store holds, as trees."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time

from remora import settings
from remora.cli import amounts
from remora.cli.show.following import Following
from remora.cli.show.gathering import Wanted, gather
from remora.cli.show.metrics import show_metrics
from remora.cli.terminal import Terminal, clean
from remora.cli.traces.drawing import draw
from remora.cli.traces.plain import as_dict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from remora.cli.show.gathering import Found
    from remora.cli.traces.tree import Trace
    from remora.store.scan import Damaged

_DEFAULT_LAST = 10
_MOST_DAMAGE_LINES = 5
_HEX = frozenset("0123456789abcdef")


def main(argv: Sequence[str]) -> int:
    """0; 1 if the store cannot be read or the one trace asked for is not there."""
    asked = _parser().parse_args(argv)
    folder = os.path.abspath(asked.store) if asked.store else settings.load(os.environ).settings.store_dir
    since_ns = time.time_ns() - int(asked.since * 1e9) if asked.since is not None else 0
    # A time or a trace is a limit of its own.
    last = asked.last or (None if asked.trace or asked.since is not None else _DEFAULT_LAST)
    wanted = Wanted(asked.service, asked.errors, asked.trace, last, since_ns)
    try:
        if asked.metrics:
            return show_metrics(folder, asked.service, since_ns, as_json=asked.json)
        if asked.follow:
            return _follow(folder, wanted, as_json=asked.json)
        found = gather(folder, wanted)
    except OSError as error:
        if asked.follow and error.filename is None:
            raise  # not the store: what we print to
        sys.stderr.write(f"remora: cannot read the local store {folder}: {error.strerror or error}\n")
        return 1
    if asked.json:
        print(json.dumps(_document(folder, found), indent=2))
    else:
        _print(folder, wanted, found)
    return 1 if asked.trace and not found.traces else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="remora show",
        description="Show traces of the local store as trees, the newest last.",
        epilog="Telemetry is kept in the local store when no endpoint is set and no collector listens on this machine, "
        "and while a collector cannot be reached.",
    )
    add = parser.add_argument
    add("--store", metavar="DIR", help="the store to read (default: REMORA_STORE_DIR, as `remora env` shows it)")
    add("--service", metavar="NAME", help="only traces in which this service takes part")
    add("--errors", action="store_true", help="only traces with a failed span")
    add("--trace", metavar="ID", type=_trace_id, help="one trace in full, by its id or the beginning of it")
    add("--last", metavar="N", type=_positive, help=f"the newest N traces (default: {_DEFAULT_LAST})")
    add("--since", metavar="TIME", type=_seconds, help="traces that began since then: 30s, 10m, 2h, 1d")
    add("--follow", "-f", action="store_true", help="go on and show traces as they complete")
    add("--metrics", action="store_true", help="the newest value of each metric instead of traces")
    add("--json", action="store_true", help="print JSON; with --follow one line for each trace")
    return parser


def _print(folder: str, wanted: Wanted, found: Found) -> None:
    terminal = Terminal()
    for trace in found.traces:
        draw(trace, terminal, whole=wanted.trace_id is not None)
        terminal.line()
    if found.more or found.unread:
        older = f"{found.more:,} older traces" if not found.unread else "older traces"
        terminal.line((f"{older} are not shown: --last N, --since TIME", "dim"))
    if not found.traces:
        _nothing(folder, wanted, found, terminal)
    _tell_damage(found.damaged)


def _nothing(folder: str, wanted: Wanted, found: Found, terminal: Terminal) -> None:
    if found.others or wanted.trace_id:
        terminal.line("No trace in ", (folder, "bold"), " fits.", cut=False)
        if wanted.service and wanted.service not in found.services:
            known = ", ".join(sorted(clean(service) for service in found.services))
            terminal.line(f"There is no service {clean(wanted.service)}; there are: {known}", cut=False)
        return
    terminal.line("No traces in ", (folder, "bold"), cut=False)
    otlp = settings.load(os.environ).settings.traces_otlp
    from remora.settings.endpoints import without_secrets

    if otlp.configured:
        text = f"Traces are sent to {without_secrets(otlp.endpoint)}, and kept here only while that cannot be reached."
    else:
        text = f"Traces are kept here while no endpoint is set and nobody listens on {otlp.endpoint}."
    terminal.paragraph(text)
    terminal.line()
    for command, meaning in (
        ("remora run python app.py", "traces a program of yours"),
        ("remora demo --keep", "traces a small shop, to see what it looks like"),
        ("remora doctor", "tells where telemetry goes from here, and what is in the way"),
    ):
        terminal.line("  ", (f"{command:<26}", "bold"), (meaning, "dim"))


def _tell_damage(damaged: Sequence[Damaged]) -> None:
    if damaged:
        errors = Terminal(sys.stderr)
        for one in damaged[:_MOST_DAMAGE_LINES]:
            errors.line(("remora: damaged: ", "yellow"), clean(str(one)), cut=False)
        if len(damaged) > _MOST_DAMAGE_LINES:
            errors.line(("remora: damaged: ", "yellow"), f"{len(damaged) - _MOST_DAMAGE_LINES} more places")


def _document(folder: str, found: Found) -> dict[str, object]:
    return {
        "store": folder,
        "traces": [as_dict(trace) for trace in found.traces],
        "not_shown": found.more,
        "unread_spans": found.unread,
        "damaged": [{"file": one.file, "offset": one.offset, "reason": one.reason} for one in found.damaged],
    }


def _follow(folder: str, wanted: Wanted, *, as_json: bool) -> int:
    terminal = Terminal()

    def show(trace: Trace, again: bool) -> None:
        if as_json:
            print(json.dumps(as_dict(trace)), flush=True)
            return
        if again:
            terminal.line(("again, with spans that came late:", "dim italic"))
        draw(trace, terminal)
        terminal.line()
        sys.stdout.flush()

    if sys.stdout.isatty() and not as_json:
        terminal.line((f"Waiting for traces in {folder}; Ctrl-C ends.", "dim"), cut=False)
    try:
        Following(wanted, show, lambda one: _tell_damage([one])).run(folder, wanted.since_ns or time.time_ns())
    except KeyboardInterrupt:
        return 0
    return 0


def _trace_id(text: str) -> str:
    lowered = text.strip().lower()
    if not 4 <= len(lowered) <= 32 or not set(lowered) <= _HEX:
        raise argparse.ArgumentTypeError("a trace id is 32 hexadecimal digits; its first 4 or more will do")
    return lowered


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a whole number from 1")
    return int(text)


def _seconds(text: str) -> float:
    try:
        return amounts.span_of_time_s(text)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None
