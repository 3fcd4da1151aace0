"""`remora show` on small stores."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from core.cli.stored import MS, Recorded, Store, order
from remora.cli.main import main
from remora.cli.show import gathering
from remora.otlp.decode import decode_traces
from support.processes import environment, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from remora.otlp.decoded import ResourceSpans

Capture = pytest.CaptureFixture[str]


def _shown(capsys: Capture, *options: str, exit_code: int = 0) -> str:
    assert main(["show", *options]) == exit_code
    return capsys.readouterr().out


def _names(capsys: Capture, *options: str) -> list[str]:
    """The roots of the traces shown."""
    document = json.loads(_shown(capsys, "--json", *options))
    return [trace["root"]["name"] for trace in document["traces"]]


def _requests(store: Store, count: int) -> None:
    for number in range(count):
        store.write(Recorded(f"GET /{number}", "server", start_ms=number), written_ms=number + 10)


def test_it_shows_the_store_of_the_settings_or_the_one_it_is_told(
    store: Store, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(*order())
    assert "POST /orders" in _shown(capsys)
    monkeypatch.setenv("REMORA_STORE_DIR", str(tmp_path / "other"))
    assert "POST /orders" not in _shown(capsys)
    assert "POST /orders" in _shown(capsys, "--store", str(store.folder))


def test_the_newest_ten_traces_are_shown_the_newest_last(store: Store, capsys: Capture) -> None:
    _requests(store, 12)
    assert _names(capsys) == [f"GET /{number}" for number in range(2, 12)]
    assert "2 older traces are not shown" in _shown(capsys)
    assert _names(capsys, "--last", "2") == ["GET /10", "GET /11"]


def test_only_traces_since_a_time(store: Store, capsys: Capture) -> None:
    for age_s in (7200, 300, 5):
        span = Recorded(f"{age_s} s ago", start_ms=-1000 * age_s)
        store.write(span, written_ms=span.start_ms + 100)
    assert _names(capsys, "--since", "10m") == ["300 s ago", "5 s ago"]
    assert _names(capsys, "--since", "1m") == ["5 s ago"]
    assert _names(capsys) == ["7200 s ago", "300 s ago", "5 s ago"]


def test_only_traces_of_a_service_with_all_their_spans(store: Store, capsys: Capture) -> None:
    store.write(*order("shop"))
    store.write(Recorded("GET /mails", "server", service="mail", start_ms=50))
    document = json.loads(_shown(capsys, "--json", "--service", "stock"))
    assert [trace["services"] for trace in document["traces"]] == [["shop", "stock"]]
    assert _names(capsys, "--service", "mail") == ["GET /mails"]


def test_a_service_that_is_not_there_is_answered_with_those_that_are(store: Store, capsys: Capture) -> None:
    store.write(*order())
    assert "There is no service shpo; there are: shop, stock" in _shown(capsys, "--service", "shpo")


def test_only_traces_with_a_failure_anywhere_in_them(store: Store, capsys: Capture) -> None:
    store.write(*order())
    failed = order(start_ms=100)
    failed[4].error = "no such table"
    failed[0].name = "POST /failed"
    store.write(*failed)
    assert _names(capsys, "--errors") == ["POST /failed"]


def test_one_trace_by_the_beginning_of_its_id(store: Store, capsys: Capture) -> None:
    spans = order()
    store.write(*spans[:3])
    store.write(*spans[3:])
    _requests(store, 20)
    trace_id = spans[0].trace_id.hex()
    for beginning in (trace_id, trace_id[:8].upper(), trace_id[:7]):
        document = json.loads(_shown(capsys, "--json", "--trace", beginning))
        assert [(trace["trace_id"], trace["span_count"]) for trace in document["traces"]] == [(trace_id, 7)]


def test_a_trace_that_is_not_there_is_a_failure(store: Store, capsys: Capture) -> None:
    store.write(*order())
    assert "fits" in _shown(capsys, "--trace", "0123456789", exit_code=1)


def test_the_json_has_every_span_in_the_order_of_the_tree(store: Store, capsys: Capture) -> None:
    spans = order()
    spans[3].exception = ("ZeroDivisionError", "division by zero")
    store.write(*spans)
    (trace,) = json.loads(_shown(capsys, "--json"))["traces"]
    assert [(span["depth"], span["service"], span["kind"], span["name"]) for span in trace["spans"]] == [
        (0, "shop", "server", "POST /orders"),
        (1, "shop", "client", "SELECT"),
        (1, "shop", "client", "POST"),
        (2, "stock", "server", "POST /reservations"),
        (3, "stock", "client", "SELECT"),
        (3, "stock", "client", "UPDATE"),
        (1, "shop", "client", "INSERT"),
    ]
    failed = trace["spans"][3]
    assert failed["status"] == "error"
    assert failed["parent_span_id"] == spans[2].span_id.hex()
    assert failed["events"][0]["attributes"]["exception.type"] == "ZeroDivisionError"
    assert trace["error"] is True
    assert trace["duration_ns"] == pytest.approx(23.1 * MS)
    assert trace["spans"][0]["attributes"]["http.response.status_code"] == 201


def test_an_empty_store_says_where_it_looked_and_what_to_do(capsys: Capture) -> None:
    shown = _shown(capsys)
    assert f"No traces in {os.environ['REMORA_STORE_DIR']}" in shown
    assert "nobody listens on http://localhost:4318/v1/traces" in shown
    assert "remora run python app.py" in shown


def test_an_empty_store_says_where_traces_go_instead(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:secret@collector:4318")
    shown = _shown(capsys)
    assert "Traces are sent to http://***@collector:4318/v1/traces" in shown
    assert "secret" not in shown


def test_a_damaged_frame_is_told_in_a_line_and_the_others_are_shown(store: Store, capsys: Capture) -> None:
    _requests(store, 1)
    first_size = store.files[0].stat().st_size
    _requests(store, 3)
    data = bytearray(store.files[0].read_bytes())
    data[first_size + 60] ^= 0xFF
    store.files[0].write_bytes(data)
    assert main(["show"]) == 0
    out, err = capsys.readouterr()
    assert [line for line in err.splitlines() if str(store.files[0]) in line and f"offset {first_size}" in line]
    assert "GET /1 " in out
    assert "GET /2 " in out
    damaged = json.loads(_shown(capsys, "--json"))["damaged"]
    assert [(one["file"], one["offset"]) for one in damaged] == [(str(store.files[0]), first_size)]


def test_a_frame_that_holds_no_spans_is_told_too(store: Store, capsys: Capture) -> None:
    _requests(store, 1)
    store.write_raw(b"\xff\xffgarbage")
    assert main(["show"]) == 0
    out, err = capsys.readouterr()
    assert "GET /0" in out
    assert "the frame holds no OTLP traces" in err


def test_much_damage_is_few_lines(store: Store, capsys: Capture) -> None:
    for _ in range(30):
        store.write_raw(b"\xff")
    main(["show"])
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 6
    assert "25 more places" in err


def test_a_folder_that_cannot_be_read_is_one_line(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(gathering, "Reader", refuse)
    assert main(["show"]) == 1
    assert capsys.readouterr().err == f"remora: cannot read the local store {tmp_path / 'store'}: Permission denied\n"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--last", "0"], "a whole number from 1"),
        (["--since", "yesterday"], "30s, 10m, 2h"),
        (["--trace", "xyz!"], "32 hexadecimal digits"),
        (["--trace", "ab"], "first 4 or more"),
    ],
)
def test_wrong_usage_says_what_is_right(options: list[str], told: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["show", *options])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_only_as_much_of_a_large_store_is_decoded_as_is_shown(
    store: Store, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "_BUDGETS", (4, 16, 1000))
    decoded: list[bytes] = []

    def decode(body: bytes) -> list[ResourceSpans]:
        decoded.append(body)
        return decode_traces(body)

    monkeypatch.setattr(gathering, "decode_traces", decode)
    _requests(store, 100)
    assert _names(capsys, "--last", "3") == ["GET /97", "GET /98", "GET /99"]
    assert len(decoded) <= 20
    assert "older traces are not shown" in _shown(capsys, "--last", "3")


def test_a_trace_that_began_before_what_was_read_is_not_shown_in_part(
    store: Store, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "_BUDGETS", (3, 1000))
    root = Recorded("long", duration_ms=90)
    for number in range(5):
        step = Recorded("step", parent=root, start_ms=10 * number)
        store.write(step, written_ms=10 * number + 10)
    store.write(Recorded("GET /", "server", start_ms=80), written_ms=90)
    store.write(root, written_ms=100)
    assert _names(capsys, "--last", "1") == ["GET /"]
    document = json.loads(_shown(capsys, "--json", "--last", "2"))
    assert [(trace["root"]["name"], trace["span_count"]) for trace in document["traces"]] == [("long", 6), ("GET /", 1)]


def test_following_shows_a_trace_when_it_is_complete_and_ends_by_ctrl_c(tmp_path: Path) -> None:
    log = tmp_path / "followed"
    with log.open("wb") as out:
        follower = subprocess.Popen(
            [sys.executable, "-m", "remora", "show", "--follow", "--store", str(tmp_path / "store")],
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment(launched=False),
            restore_signals=True,
        )
        try:
            time.sleep(1)  # what follows is then surely new
            spans = order()
            store = Store(tmp_path / "store", clock_ns=time.time_ns())
            store.write(*spans[1:])
            time.sleep(0.3)
            assert log.read_bytes() == b""
            store.write(spans[0])
            wait_until("the trace is shown", lambda: b"POST /orders 201" in log.read_bytes())
            follower.send_signal(signal.SIGINT)
            assert follower.wait(10) == 0
        finally:
            follower.kill()
            follower.wait()
    assert "7 spans" in log.read_text()
    assert "Traceback" not in log.read_text()
