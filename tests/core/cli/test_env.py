"""`remora env`: what is set, and what that means."""

from __future__ import annotations

import json
from typing import Any

import pytest

from remora.cli.main import main
from remora.settings import VARIABLES

Capture = pytest.CaptureFixture[str]


def _printed(capsys: Capture, *options: str) -> str:
    assert main(["env", *options]) == 0
    return capsys.readouterr().out


def _line(printed: str, name: str) -> str:
    (line,) = [line for line in printed.splitlines() if line[2:].split()[:1] == [name]]
    return line


def _rows(capsys: Capture) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in json.loads(_printed(capsys, "--json"))["variables"]}


def test_every_variable_is_listed_with_its_value_and_where_that_comes_from(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    monkeypatch.setenv("OTEL_ATTRIBUTE_COUNT_LIMIT", "7")
    printed = _printed(capsys, "--all")
    assert _line(printed, "OTEL_SERVICE_NAME").split() == ["OTEL_SERVICE_NAME", "shop", "set"]
    assert _line(printed, "OTEL_BSP_SCHEDULE_DELAY").split() == ["OTEL_BSP_SCHEDULE_DELAY", "5000", "default"]
    assert _line(printed, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT").split()[1:] == ["7", "from", "OTEL_ATTRIBUTE_COUNT_LIMIT"]
    for variable in VARIABLES:
        assert _line(printed, variable.name)


def test_variables_that_only_follow_another_are_left_out_and_counted(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "129")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "500")
    printed = _printed(capsys)
    assert "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT" not in printed
    assert _line(printed, "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT").split()[1:] == ["500", "set"]
    hidden = len(_printed(capsys, "--all").splitlines()) - len(printed.splitlines()) + 1
    assert f"{hidden} more follow" in printed


def test_secrets_are_starred(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://user:s3cret@collector")
    for options in ([], ["--all"], ["--json"]):
        printed = _printed(capsys, *options)
        assert "s3cret" not in printed
        assert "authorization=***" in printed


def test_a_wrong_value_is_marked_and_explained(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "soon")
    monkeypatch.setenv("REMORA_STOR_DIR", "/tmp")
    printed = _printed(capsys)
    assert _line(printed, "OTEL_BSP_SCHEDULE_DELAY").startswith("! ")
    assert "! OTEL_BSP_SCHEDULE_DELAY: 'soon' is not accepted" in printed
    assert "! REMORA_STOR_DIR: no such variable; did you mean REMORA_STORE_DIR?" in printed
    assert "using 5000" in str(_rows(capsys)["OTEL_BSP_SCHEDULE_DELAY"]["problem"])


@pytest.mark.parametrize("value", ["store", "otlp", "console"])
def test_settings_of_logs_are_said_to_be_read_by_nobody(
    value: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_LOGS_EXPORTER", value)
    monkeypatch.setenv("OTEL_BLRP_SCHEDULE_DELAY", "100")
    said = "Remora sends no logs: OTEL_BLRP_SCHEDULE_DELAY, OTEL_LOGS_EXPORTER are accepted and not read"
    assert f"· {said}" in _printed(capsys)
    document = json.loads(_printed(capsys, "--json"))
    assert (document["notes"], document["problems"]) == ([said], [])


@pytest.mark.parametrize("environ", [{}, {"OTEL_LOGS_EXPORTER": "none"}, {"OTEL_LOGS_EXPORTER": ""}])
def test_where_nobody_wants_logs_nothing_is_said(
    environ: dict[str, str], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in environ.items():
        monkeypatch.setenv(name, text)
    assert "sends no logs:" not in _printed(capsys)
    assert json.loads(_printed(capsys, "--json"))["notes"] == []


def test_the_json_has_value_default_origin_and_doc(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMORA_EXIT_TIMEOUT", "300")
    row = _rows(capsys)["REMORA_EXIT_TIMEOUT"]
    assert (row["value"], row["default"], row["origin"], row["problem"]) == ("300", "2000", "environment", None)
    assert row["doc"]


def test_a_wide_terminal_has_room_for_what_each_variable_does(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert "Longest delay of the program's exit" in _line(_printed(capsys), "REMORA_EXIT_TIMEOUT")


def test_into_a_pipe_no_line_is_wider_than_80_columns_and_values_stay_beside_their_names(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_ATTRIBUTE_COUNT_LIMIT", "7")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "a-service-with-a-name-that-goes-on-and-on")
    printed = _printed(capsys, "--all")
    tabular = [line for line in printed.splitlines() if len(line.split()) > 1]  # a long value has a line of its own
    assert [line for line in tabular if len(line) > 80] == []
    assert _line(printed, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT").split() == ["OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "7"]
    lines = printed.splitlines()
    name = lines.index(_line(printed, "OTEL_SERVICE_NAME"))
    assert lines[name + 1].split() == ["a-service-with-a-name-that-goes-on-and-on", "set"]


def test_a_value_that_is_wider_than_the_line_is_whole(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMORA_STORE_DIR", "/" + "x" * 200)
    assert "/" + "x" * 200 in _printed(capsys)


def test_what_the_values_mean_is_told_where_there_is_no_room_for_it(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "What each one means" in _printed(capsys)
    monkeypatch.setenv("COLUMNS", "160")
    assert "What each one means" not in _printed(capsys)
