"""How a trace looks."""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING

import pytest

from core.cli.stored import MS, Recorded, Store, order, query
from remora.cli.show.gathering import Wanted, gather
from remora.cli.terminal import Terminal
from remora.cli.traces.drawing import draw

if TYPE_CHECKING:
    from pathlib import Path

CLOCK_NS = 1_700_000_000_000 * MS


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", clock_ns=CLOCK_NS)


def _drawn(store: Store, *spans: Recorded, whole: bool = False) -> str:
    for span in spans:
        span.trace_id = b"\xab" * 16
    store.write(*spans)
    (trace,) = gather(str(store.folder), Wanted()).traces
    file = io.StringIO()
    draw(trace, Terminal(file), whole=whole)
    return file.getvalue()


def _is(drawn: str, expected: str) -> bool:
    assert drawn == textwrap.dedent(expected).lstrip("\n")
    return True


def test_two_services_at_eighty_columns(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert _is(
        _drawn(store, *order()),
        """
        ● shop  POST /orders 201                          2 services · 7 spans · 23.1 ms
          2023-11-14 22:13:20.000 · trace abababababababababababababababab
          [shop] server POST /orders 201                       ━━━━━━━━━━━━━━━━  23.1 ms
          ├─ sqlite SELECT                                     ━                  200 µs
          │     SELECT name FROM products WHERE id = ?
          ├─ client POST 127.0.0.1:8001/reservations 200       ━━━━━━━━━━━━━     17.5 ms
          │  └─ [stock] server POST /reservations 200            ━━━━━━━━━       12.0 ms
          │     ├─ sqlite SELECT                                  ━               150 µs
          │     │     SELECT pieces FROM stock WHERE product = ?
          │     └─ sqlite UPDATE                                   ━━━━━         7.00 ms
          │           UPDATE stock SET pieces = pieces - ?
          └─ sqlite INSERT                                                  ━━   2.20 ms
                INSERT INTO orders (product, pieces) VALUES (?, ?)
        """,
    )


def test_no_line_is_wider_than_the_terminal(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    spans = order()
    spans[0].name = "POST /a/very/long/route/" + "with/many/segments/" * 12
    spans[1].attributes["db.query.text"] = "SELECT " + "x, " * 200
    spans[3].exception = ("very.long.module.path.WonderfulError", "it is " + "so " * 100 + "broken")
    for width in (40, 60, 80, 120, 200):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = _drawn(store, *spans).splitlines()
        assert max(map(len, lines)) <= width
        assert len(lines) >= 13


def test_a_failure_says_what_failed_in_red_and_in_words(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    root = Recorded("GET /", "server", attributes={"http.response.status_code": 500, "error.type": "500"}, error="")
    job = Recorded("price", parent=root, exception=("ZeroDivisionError", "division by zero"), start_ms=1)
    database = query("SELECT 1", root, start_ms=2)
    database.error = "relation does not exist"
    database.attributes["error.type"] = "psycopg.errors.UndefinedTable"
    drawn = _drawn(store, root, job, database)
    assert "✗ server GET / 500" in drawn
    assert "ZeroDivisionError: division by zero" in drawn
    assert "psycopg.errors.UndefinedTable: relation does not exist" in drawn
    assert "\n  │  500\n" not in drawn  # the status has said so


def test_an_exception_is_told_once_though_it_is_an_event_a_type_and_a_message(store: Store) -> None:
    span = Recorded("job", exception=("ValueError", "no such cup"), error="ValueError: no such cup")
    span.attributes["error.type"] = "builtins.ValueError"
    assert _drawn(store, span).count("no such cup") == 1


def test_a_caller_outside_the_store_is_no_fault(store: Store) -> None:
    drawn = _drawn(store, Recorded("GET /", "server", missing_parent="00f067aa0ba902b7", remote=True))
    assert "→ called by span 00f067aa0ba902b7 of a service that is not in this store" in drawn


def test_spans_without_their_parent_are_shown_under_one_note(store: Store) -> None:
    root = Recorded("GET /", "server")
    lost = [Recorded(f"step {number}", start_ms=number, missing_parent="00f067aa0ba902b8") for number in range(3)]
    lines = _drawn(store, root, *lost).splitlines()
    notes = [line for line in lines if "→" in line]
    assert notes == ["  → parent 00f067aa0ba902b8 is not here: not ended yet, dropped, sent elsewhere"]
    assert lines.index(notes[0]) == 3
    assert [line.split("━")[0].strip() for line in lines[4:]] == [f"internal step {number}" for number in range(3)]


def test_a_loop_of_queries_is_folded(store: Store) -> None:
    root = Recorded("GET /", "server", duration_ms=100)
    loop = [query("SELECT price FROM prices WHERE product = ?", root, start_ms=1 + each) for each in range(60)]
    other = query("SELECT name FROM products", root, start_ms=90)
    drawn = _drawn(store, root, *loop, other)
    assert drawn.count("SELECT price FROM") == 2
    assert "+ 58 more like it, 58.0 ms together" in drawn
    assert "SELECT name FROM products" in drawn


def test_a_failure_in_a_loop_is_not_folded_away(store: Store) -> None:
    root = Recorded("GET /", "server", duration_ms=100)
    loop = [query("SELECT price FROM prices", root, start_ms=1 + each) for each in range(60)]
    loop[30].error = "timeout"
    drawn = _drawn(store, root, *loop)
    assert "✗ sqlite SELECT" in drawn
    assert "+ 28 more" in drawn
    assert "+ 27 more" in drawn


def test_one_trace_in_full_tells_everything_and_folds_nothing(store: Store) -> None:
    root = Recorded("GET /", "server", attributes={"url.path": "/cups", "user.id": 7, "cached": True})
    loop = [query("SELECT 1", root, start_ms=each) for each in range(9)]
    drawn = _drawn(store, root, *loop, whole=True)
    assert drawn.count("sqlite SELECT") == 9
    for told in ("url.path /cups", "user.id 7", "cached true", "scope remora.test"):
        assert told in drawn


def test_a_trace_of_thousands_of_spans_is_cut_with_the_way_to_the_rest(store: Store) -> None:
    root = Recorded("job", duration_ms=10_000)
    steps = [Recorded(f"step {number}", parent=root, start_ms=number) for number in range(3000)]
    drawn = _drawn(store, root, *steps)
    assert len(drawn.splitlines()) < 500
    assert f"remora show --trace {'ab' * 16}" in drawn


def test_a_trace_thousands_of_levels_deep_keeps_its_names_readable(store: Store) -> None:
    spans = [Recorded("level 0", duration_ms=1000)]
    for number in range(1, 60):
        spans.append(Recorded(f"level {number}", parent=spans[-1]))
    assert "internal level 59" in _drawn(store, *spans)


def test_an_http_span_without_a_route_says_where_it_went(store: Store) -> None:
    attributes = {"http.request.method": "GET", "url.full": "https://user:pw@api.example.com:8443/v1/cups?key=1"}
    drawn = _drawn(store, Recorded("GET", "client", attributes=attributes))
    assert "client GET ***@api.example.com:8443/v1/cups " in drawn
    assert "pw" not in drawn


def test_what_a_program_writes_into_its_spans_cannot_steer_the_terminal(store: Store) -> None:
    span = Recorded("x\x1b]0;title\x07", service="a\x1b[2J", attributes={"db.system.name": "b\x1b[1A"})
    span.exception = ("E\x1bc", "m\x1b[31m")
    span.attributes["key\x1b"] = "value\x9b1m"
    drawn = _drawn(store, span, whole=True)
    assert [sign for sign in drawn if not sign.isprintable() and sign != "\n"] == []


def test_spans_without_duration_or_with_a_skewed_clock_are_drawn(store: Store) -> None:
    root = Recorded("GET /", "server", duration_ms=0)
    early = Recorded("early", parent=root, start_ms=-5, duration_ms=0)
    backwards = Recorded("backwards", parent=root, start_ms=1, duration_ms=-3)
    drawn = _drawn(store, root, early, backwards)
    assert "-3.00 ms" in drawn
    assert drawn.count("━") >= 3
