"""A plugin that keeps failing while the program runs is taken out, once."""

from __future__ import annotations

import sys
import threading
import types
from typing import TYPE_CHECKING, Any

import pytest

from remora.host.quarantine import Faults

if TYPE_CHECKING:
    from pathlib import Path


def test_the_plugin_is_taken_out_at_exactly_the_limit() -> None:
    reasons: list[str] = []
    faults = Faults(3, reasons.append, "acme")
    for _ in range(2):
        faults.fault("_request", ValueError())
    assert (reasons, faults.quarantined, faults.count) == ([], False, 2)
    faults.fault("_response", KeyError())
    assert faults.quarantined
    assert len(reasons) == 1
    assert reasons[0].startswith("3 faults, the last in _response: KeyError")
    faults.fault("_response", KeyError())
    assert len(reasons) == 1


def test_the_first_fault_is_said_without_the_secrets_it_may_quote(capfd: pytest.CaptureFixture[str]) -> None:
    faults = Faults(3, lambda _: None, "acme")
    for _ in range(2):
        try:
            int("password=hunter2")
        except ValueError as failure:
            faults.fault("_request", failure)
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert "plugin acme" in said
    assert "_request" in said
    assert "ValueError: invalid literal for int() with base 10: 'password=REDACTED'" in said
    assert "taken out after 3" in said
    assert "hunter2" not in said


def _fault(code: str, call: str, tmp_path: Path, modules: tuple[str, ...] = ("acme_otel",)) -> str:
    """What is told when ``call`` of the plugin in ``code`` fails below a frame of ours, as the engine calls it."""
    path = tmp_path / "acme_otel.py"
    path.write_text(code)
    plugin: dict[str, Any] = {"__name__": "acme_otel", "__file__": str(path)}
    exec(compile(code, str(path), "exec"), plugin)
    module = types.ModuleType("acme_otel")
    module.__dict__.update(plugin)
    ours: dict[str, Any] = {"__name__": "remora.patching.calls_cy", "plugin": module}
    faults = Faults(0, lambda _: None, "acme", modules)
    sys.modules["acme_otel"] = module
    try:
        exec(compile(f"def begin():\n    {call}", "around", "exec"), ours)
        exec(compile("try:\n    begin()\nexcept Exception as error:\n    failure = error", "around", "exec"), ours)
        faults.fault("reads", ours["failure"])
    finally:
        del sys.modules["acme_otel"]
    assert faults.last is not None
    return faults.last


def test_the_line_of_the_plugin_is_told_not_ours_nor_that_of_a_library_it_calls(tmp_path: Path) -> None:
    code = "import json\n\ndef _url(text):\n    return json.loads(text)\n\ndef _request(text):\n    return _url(text)\n"
    told = _fault(code, "plugin._request('no json')", tmp_path)
    assert told.startswith("reads: JSONDecodeError: Expecting value")
    assert told.endswith(f"{tmp_path}/acme_otel.py:4")


def test_a_describer_that_takes_other_arguments_is_told_by_where_it_is_written(tmp_path: Path) -> None:
    told = _fault("\n\ndef _request(connection):\n    pass\n", "plugin._request(1, 2)", tmp_path)
    assert "takes 1 positional argument but 2 were given" in told
    assert told.endswith(f"{tmp_path}/acme_otel.py:3")


def test_a_record_that_cannot_be_used_is_told_by_the_plugin_that_made_it(tmp_path: Path) -> None:
    told = _fault("", "raise ValueError('no URL')", tmp_path)
    assert told == f"reads: ValueError: no URL at around:2, in what came from {tmp_path}/acme_otel.py"


def test_a_limit_of_zero_counts_for_ever() -> None:
    reasons: list[str] = []
    faults = Faults(0, reasons.append)
    for _ in range(50):
        faults.fault("_request", ValueError())
    assert (faults.count, reasons) == (50, [])


def test_of_many_threads_one_takes_the_plugin_out() -> None:
    reasons: list[str] = []
    faults = Faults(50, reasons.append)
    start = threading.Barrier(8)

    def fail() -> None:
        start.wait()
        for _ in range(50):
            faults.fault("_request", ValueError())

    threads = [threading.Thread(target=fail) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(reasons), faults.count) == (1, 400)


def test_counting_never_raises() -> None:
    class UnspeakableError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def burning(_: Any) -> None:
        raise RuntimeError

    faults = Faults(1, burning)
    faults.fault("_request", UnspeakableError())
    assert faults.quarantined
