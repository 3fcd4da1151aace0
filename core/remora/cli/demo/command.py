"""`remora demo`: the shop under `remora run`, a handful of requests, and the traces that came of them."""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from time import monotonic, time_ns

from remora import settings
from remora.cli import amounts
from remora.cli.demo.checks import missing
from remora.cli.demo.services import Service, ServiceError
from remora.cli.demo.visits import LEAST, pay, visits
from remora.cli.show.gathering import Wanted, gather
from remora.cli.terminal import Terminal
from remora.cli.traces.drawing import draw
from remora.cli.traces.plain import as_dict
from remora.telemetry.names import PROCESS_PID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from remora.cli.demo.visits import Visit
    from remora.cli.traces.tree import Trace

_NEEDS = ("flask", "requests")
_DEFAULT_REQUESTS = 7
# Settings of telemetry that are made for other programs, and the trace that we may be part of ourselves.
_OF_OTHERS = ("OTEL_", "REMORA_", "TRACEPARENT", "TRACESTATE", "BAGGAGE")


def main(argv: Sequence[str]) -> int:
    """0 if every request left a whole trace."""
    asked = _parser().parse_args(argv)
    absent = [name for name in _NEEDS if find_spec(name) is None]
    if absent:
        return _fail(f"the demo needs {' and '.join(absent)}: {sys.executable} -m pip install 'remora[demo]'")
    planned = visits(asked.requests)
    terminal = Terminal(sys.stderr if asked.json else None)
    started = monotonic()
    try:
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="remora-demo-"))
            store = settings.load(os.environ).settings.store_dir if asked.keep else os.path.join(folder, "store")
            terminal.line(("Starting the shop under `remora run`, and the service for its stock ...", "dim"))
            traces = _open_shop(folder, store, planned, terminal)
    except (ServiceError, OSError) as error:
        return _fail(f"the demo failed: {error}")
    faults = missing(planned, traces)
    if asked.json:
        document = {"traces": [as_dict(trace) for trace in traces], "faults": faults, "ok": not faults}
        print(json.dumps(document, indent=2))
    else:
        _print(terminal, traces, faults, monotonic() - started, store if asked.keep else None)
    return 1 if faults else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="remora demo",
        description="Run a small shop (Flask, requests, SQLite; two services), send it requests, show their traces.",
        epilog="The traces go to a local store of the demo's own, whatever endpoint is set, so that it works offline "
        "and sends nothing anywhere.",
    )
    add = parser.add_argument
    sent = f"how many to send (default: {_DEFAULT_REQUESTS})"
    add("--requests", metavar="N", type=_number, default=_DEFAULT_REQUESTS, help=sent)
    add("--keep", action="store_true", help="keep the traces in the local store, for `remora show`")
    add("--json", action="store_true", help="print JSON")
    return parser


def _open_shop(folder: str, store: str, planned: Sequence[Visit], terminal: Terminal) -> list[Trace]:
    """Start, visit, close; returns the traces of the visits, in their order."""
    # The services end in the reverse order: the shop's last call is over before the stock is closed.
    with ExitStack() as closing:
        nowhere = closing.enter_context(_nowhere())
        environ = _environment(os.environ, store, nowhere)
        stock = _service("stock", folder, environ)
        closing.callback(stock.end)
        shop = _service("shop", folder, environ, "--stock-url", stock.url())
        closing.callback(shop.end)
        url = shop.url()
        terminal.line((f"Sending {amounts.count(len(planned), 'request')} to {url}", "dim"))
        terminal.line()
        first_ns = time_ns()
        for visit in planned:
            status = pay(visit, url)
            if status != visit.status:
                raise ServiceError(f"{visit.words} was answered {status} instead of {visit.status}")
    found = gather(store, Wanted(since_ns=first_ns))
    return [trace for trace in found.traces if trace.head.resource.get(PROCESS_PID) in (shop.pid, stock.pid)]


def _service(name: str, folder: str, environ: Mapping[str, str], *arguments: str) -> Service:
    log = os.path.join(folder, f"{name}.log")
    return Service(name, environ, log, "--database", os.path.join(folder, f"{name}.sqlite"), *arguments)


@contextmanager
def _nowhere() -> Iterator[str]:
    """A URL at which surely nobody listens: the port is taken, and does not answer."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def _environment(environ: Mapping[str, str], store: str, nowhere: str) -> dict[str, str]:
    """Everything goes to ``store``, also where a collector runs on this machine."""
    kept = {name: value for name, value in environ.items() if not name.startswith(_OF_OTHERS)}
    return {
        **kept,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": nowhere,
        "REMORA_STORE_DIR": store,
        "OTEL_BSP_SCHEDULE_DELAY": "60000",  # at its end is early enough,
        "REMORA_EXIT_TIMEOUT": "300",  # and there is no use in trying for long
    }


def _print(terminal: Terminal, traces: Sequence[Trace], faults: Sequence[str], took_s: float, kept: str | None) -> None:
    for trace in traces:
        draw(trace, terminal)
        terminal.line()
    for fault in faults:
        terminal.hanging(("✗ ", "bold red"), fault)
    if not faults:
        services = sorted({service for trace in traces for service in trace.services})
        spans = sum(len(trace.nodes) for trace in traces)
        terminal.line(
            ("✓ ", "bold green"),
            f"{amounts.count(len(traces), 'request')}, {amounts.count(spans, 'span')} of {' and '.join(services)}, "
            f"each below the one that caused it, in {took_s:.1f} s.",
        )
        advice = "  The shop knows nothing of telemetry. Now your program: "
        terminal.line((advice, "dim"), ("remora run python app.py", "bold"))
    if kept:
        terminal.line((f"  Kept in {kept}: remora show", "dim"), cut=False)


def _fail(message: str) -> int:
    sys.stderr.write(f"remora: {message}\n")
    return 1


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < LEAST:
        raise argparse.ArgumentTypeError(f"a whole number from {LEAST}, so that one of them fails")
    return int(text)
