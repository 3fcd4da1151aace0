"""`remora show --metrics`: the newest value of each metric in the local store, by service."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass

from remora.cli import amounts
from remora.cli.terminal import Terminal, clean
from remora.otlp.decode_metrics import DecodeError, decode_metrics
from remora.store.reader import Reader
from remora.store.scan import Damaged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from remora.otlp.decode_metrics import Metric, Point


@dataclass(slots=True)
class Newest:
    """What a metric held when it was last told of, by one process, for one set of attributes."""

    service: str
    process: str
    metric: Metric
    point: Point


def show_metrics(folder: str, service: str | None, since_ns: int, *, as_json: bool) -> int:
    """0; 1 when there is no metric that fits. OSError if the folder cannot be read."""
    newest, damaged = _gather(folder, service, since_ns)
    if as_json:
        print(json.dumps({"store": folder, "metrics": [_as_dict(one) for one in newest]}, indent=2, default=repr))
    else:
        _print(Terminal(), folder, newest)
    errors = Terminal(sys.stderr)
    for one in damaged:
        errors.line(("remora: damaged: ", "yellow"), clean(str(one)), cut=False)
    return 0 if newest else 1


def _gather(folder: str, service: str | None, since_ns: int) -> tuple[list[Newest], list[Damaged]]:
    found: dict[tuple[Any, ...], Newest] = {}
    damaged: list[Damaged] = []
    for stored in Reader(folder).read(since_ns=since_ns):
        if isinstance(stored, Damaged):
            damaged.append(stored)
            continue
        if stored.signal != "metrics":
            continue
        try:
            metrics = decode_metrics(stored.body)
        except DecodeError as error:
            damaged.append(Damaged(stored.file, stored.offset, f"the frame holds no OTLP metrics: {error}"))
            continue
        for metric in metrics:
            name = str(metric.resource.get("service" + ".name", ""))
            process = str(metric.resource.get("service" + ".instance.id", ""))
            if service is None or name == service:
                for point in metric.points:
                    key = (name, metric.name, metric.scope, process, repr(sorted(point.attributes.items())))
                    found[key] = Newest(name, process, metric, point)
    return [found[key] for key in sorted(found)], damaged


def _print(terminal: Terminal, folder: str, newest: list[Newest]) -> None:
    if not newest:
        terminal.line("No metrics in ", (folder, "bold"), cut=False)
        return
    service = name = None
    for one in newest:
        if one.service != service:
            if service is not None:
                terminal.line()
            service, name = one.service, None
            terminal.line((clean(service) or "(no service name)", "bold cyan"))
        if one.metric.name != name:
            name = one.metric.name
            unit = f" in {clean(one.metric.unit)}" if one.metric.unit else ""
            terminal.line("  ", (clean(name), "bold"), (f"  {one.metric.kind}{unit}", "dim"))
        attributes = " ".join(
            f"{clean(key.rpartition('.')[2])}={clean(str(value))}" for key, value in one.point.attributes.items()
        )
        since = "since the last delivery" if one.metric.delta else ""
        terminal.line("    ", f"{_held(one):<36}  ", (attributes, "dim"), (f"  {since}", "dim"))


def _held(one: Newest) -> str:
    point = one.point
    if point.value is not None:
        return f"{point.value:,g}"
    if not point.count:
        return "none"
    words = [amounts.count(point.count, "time")]
    if point.sum is not None:
        words.append(f"mean {_amount(point.sum / point.count, one.metric.unit)}")
    if point.max is not None:
        words.append(f"max {_amount(point.max, one.metric.unit)}")
    return ", ".join(words)


def _amount(value: float, unit: str) -> str:
    if unit == "s":
        return amounts.duration(int(value * 1e9))
    return f"{value:,g} {unit}".rstrip()


def _as_dict(one: Newest) -> dict[str, object]:
    metric = one.metric
    return {
        "service": one.service,
        "instance": one.process,
        "scope": metric.scope,
        "name": metric.name,
        "unit": metric.unit,
        "kind": metric.kind,
        "temporality": "delta" if metric.delta else "cumulative",
        **asdict(one.point),
    }
