"""Thousands of random requests at once against every framework, by threads, asyncio, gevent and eventlet.

Each server runs in a process of its own under the launch and exports to a receiver, as in production.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from plugins.http.many_requests.asking import Asked, ask_all, requests
from plugins.http.many_requests.judging import misplaced
from support.processes import output, running, wait_until
from support.receiver import Receiver
from support.servers import missing

if TYPE_CHECKING:
    from collections.abc import Callable

PROGRAM = Path(__file__).parent / "many_requests" / "program.py"
SEED = 20261
WINDOWS = (0, 0.2, 0.6, 1)  # parts of the requests; in the first, imports, caches and pools grow
MAX_GROWTH_BYTES = 4_000_000  # in each window after the first: a kilobyte for each of 4,000 requests would be seen


@dataclass(frozen=True)
class Way:
    """``way`` is the class that serves; ``library`` patches the standard library before."""

    way: str
    count: int
    library: str = ""

    @property
    def nested(self) -> bool:
        return ".applications:" in self.way


def _contract(module: str, name: str) -> Way:
    return Way(f"plugins.http.test_{module}:{name}", 1_500)


def _own(name: str, count: int, library: str = "") -> Way:
    return Way(f"plugins.http.many_requests.applications:{name}", count, library)


WAYS = [
    _own("Flask", 10_000),
    _own("Starlette", 10_000),
    _own("Aiohttp", 10_000),
    _own("FlaskUnderGevent", 10_000, "gevent"),
    _own("FlaskUnderEventlet", 1_500, "eventlet"),
    _own("Fastapi", 1_500),
    _contract("bottle", "TestBottle"),
    _contract("django", "TestDjango"),
    _contract("django", "TestDjangoAsgi"),
    _contract("falcon", "TestFalcon"),
    _contract("falcon", "TestFalconAsgi"),
    _contract("granian", "TestGranian"),
    _contract("gunicorn", "TestGunicorn"),
    _contract("http_server", "TestHttpServer"),
    _contract("hypercorn", "TestHypercorn"),
    _contract("litestar", "TestLitestar"),
    _contract("pyramid", "TestPyramid"),
    _contract("quart", "TestQuart"),
    _contract("sanic", "TestSanic"),
    _contract("tornado_server", "TestTornadoServer"),
    _contract("uvicorn", "TestUvicorn"),
    _contract("waitress", "TestWaitress"),
    _contract("wsgiref", "TestWsgiref"),
]


@dataclass(frozen=True)
class Served:
    """What a server's process said on its outputs and reported at its end, and how it grew after it was warm.

    What leaks grows in every window; the allocator's steps and a thread's first arena come in some. ``growth_bytes`` is
    the least of the windows.
    """

    spans: list[dict[str, Any]]
    report: dict[str, Any]
    output: str
    growth_bytes: int


def _serve(way: Way, folder: Path, ask: Callable[[int, float, float], None]) -> Served:
    with Receiver() as receiver:
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_BSP_MAX_QUEUE_SIZE": "100000",  # none may be missing for another reason than a fault
            "OTEL_METRIC_EXPORT_INTERVAL": "3600000",
            "REMORA_PURE_PYTHON": os.environ.get("REMORA_PURE_PYTHON", ""),
        }
        command = [sys.executable, str(PROGRAM), way.way, str(folder), *([way.library] if way.library else [])]
        with running(command, env=env) as server:
            _appears(folder / "port", server)
            port, process = int((folder / "port").read_text()), psutil.Process(server.pid)
            sizes = []
            for start, end in pairwise(WINDOWS):
                ask(port, start, end)
                sizes.append(process.memory_info().rss)
            growth_bytes = min(after - before for before, after in pairwise(sizes))
            (folder / "over").touch()
            _appears(folder / "report", server)
            said = output(server)
        return Served(receiver.spans(), json.loads((folder / "report").read_text()), said, growth_bytes)


def _appears(file: Path, server: Any) -> None:
    wait_until(f"{file.name} is written", lambda: file.exists() or server.poll() is not None, within_s=30)
    assert file.exists(), output(server)[-3000:]


@pytest.mark.parametrize("way", [pytest.param(way, id=way.way.rpartition(":")[2]) for way in WAYS])
def test_many_requests_at_once_do_not_mix_and_leave_nothing_behind(way: Way, tmp_path: Path) -> None:
    if way.library and importlib.util.find_spec(way.library) is None:
        missing(f"{way.library} is not installed here")
    importlib.import_module(way.way.partition(":")[0])  # skips by itself where the library is missing
    asked = requests(way.count, SEED, nested=way.nested)

    def ask(port: int, start: float, end: float) -> None:
        ask_all(asked[int(len(asked) * start) : int(len(asked) * end)], port)
        time.sleep(0.3)  # for those whose asker has left

    served = _serve(way, tmp_path, ask)
    assert misplaced(asked, served.spans)[:5] == []
    assert served.report["started"] == served.report["finished"] == len(served.spans)
    assert set(served.report["under_way"].values()) == {0}
    books = served.report["books"]["traces"]
    assert books["balanced"]
    assert (books["produced"], books["dropped"], books["queued"]) == (books["exported"], {}, 0)
    assert books["exported"] == len(served.spans)
    assert served.report["logged"] == []
    assert "Failed to detach context" not in served.output
    assert "remora: " not in served.output
    assert [row for row in served.report["libraries"] if row["faults"]] == []
    assert served.growth_bytes < MAX_GROWTH_BYTES


def _span(kind: str, name: str, trace: int, own: int, parent: int, query: str = "", path: str = "") -> dict[str, Any]:
    attributes = {"url.query": query, "url.path": path} if query else {}
    ids = {"trace_id": f"{trace:032x}", "span_id": f"{own:016x}", "parent_id": f"{parent:016x}"}
    return {"kind": kind, "name": name, "attributes": attributes, **ids}


def _two_requests() -> tuple[list[Asked], list[dict[str, Any]]]:
    asked = [Asked(number, "/child", f"{number + 1:032x}", f"{number + 11:016x}") for number in range(2)]
    spans = []
    for number in range(2):
        spans.append(_span("server", "GET", number + 1, number + 21, number + 11, f"id={number}", "/child"))
        spans.append(_span("internal", "inside", number + 1, number + 31, number + 21))
    return asked, spans


def test_spans_in_their_own_traces_are_nothing_to_complain_about() -> None:
    assert misplaced(*_two_requests()) == []


@pytest.mark.parametrize("key", ["trace_id", "parent_id"])
@pytest.mark.parametrize("index", [2, 3])
def test_a_span_that_went_to_another_request_is_noticed(key: str, index: int) -> None:
    asked, spans = _two_requests()
    spans[index][key] = spans[index - 2][key]
    assert misplaced(asked, spans)


def test_a_request_served_under_another_requests_caller_is_noticed() -> None:
    asked, spans = _two_requests()
    asked[0].trace_id, asked[1].trace_id = asked[1].trace_id, asked[0].trace_id
    asked[0].span_id, asked[1].span_id = asked[1].span_id, asked[0].span_id
    assert len(misplaced(asked, spans)) == 2


def test_a_missing_and_a_strange_span_are_noticed() -> None:
    asked, spans = _two_requests()
    assert misplaced(asked, spans[:-1])
    assert misplaced(asked, [*spans, _span("server", "GET", 99, 98, 0, "id=7", "/")])
