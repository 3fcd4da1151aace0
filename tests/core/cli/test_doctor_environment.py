"""`remora doctor`: what it finds in an environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from remora.cli.doctor import probe
from remora.cli.main import main
from support.receiver import Answer, Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.cli.distributions import SitePackages

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch

pytestmark = pytest.mark.usefixtures("site_packages", "endpoint")


@pytest.fixture
def endpoint(monkeypatch: Patch) -> Iterator[Receiver]:
    """A healthy collector that is configured."""
    with Receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        yield receiver


def _examined(capsys: Capture, exit_code: int) -> dict[str, Any]:
    """The report as JSON."""
    assert main(["doctor", "--json"]) == exit_code
    out, err = capsys.readouterr()
    assert err == ""
    document: dict[str, Any] = json.loads(out)
    assert document["ok"] is (exit_code == 0)
    return document


def _told(capsys: Capture, exit_code: int) -> str:
    """The report as people see it, its lines put together."""
    assert main(["doctor"]) == exit_code
    out, err = capsys.readouterr()
    assert err == ""
    return " ".join(out.split())


def test_where_all_is_well_it_says_ok(capsys: Capture) -> None:
    told = _told(capsys, 0)
    assert told.endswith("✓ ok")
    assert "the probe span was accepted, status 200: zstd" in told
    assert "✓ sqlite3 stdlib" in told


def test_the_probe_is_a_real_span_that_says_what_it_is(capsys: Capture, endpoint: Receiver, monkeypatch: Patch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    _examined(capsys, 0)
    (span,) = endpoint.spans()
    assert (span["name"], span["resource"]["service.name"]) == (probe.SPAN_NAME, "shop")


def test_the_report_has_the_same_keys_whatever_is_wrong(capsys: Capture, monkeypatch: Patch) -> None:
    well = _examined(capsys, 0)
    monkeypatch.setenv("REMORA_ENABLED", "false")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    ill = _examined(capsys, 1)
    assert well.keys() == ill.keys()
    assert set(well) == {
        "subject", "version", "interpreter", "compiled", "injected", "settings", "libraries", "plugins", "exporter",
        "store", "ok", "verdict", "problems",
    }  # fmt: skip
    assert set(well["exporter"]) == set(ill["exporter"])
    assert set(well["exporter"]["probe"]) == {"delivered", "status", "codec", "detail", "took_s"}
    assert set(well["store"]) == {"path", "size_bytes", "max_bytes", "files", "writable"}
    assert (well["verdict"], well["problems"]) == ("ok", [])
    assert ill["verdict"] == ill["problems"][0]


@pytest.mark.parametrize(
    ("status", "mend"),
    [(401, "OTEL_EXPORTER_OTLP_HEADERS"), (404, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), (503, "status 503")],
)
def test_a_collector_that_refuses_is_quoted_with_the_mend(
    status: int, mend: str, capsys: Capture, monkeypatch: Patch
) -> None:
    with Receiver(otherwise=status) as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        report = _examined(capsys, 1)
    assert report["exporter"]["probe"]["status"] == status
    assert f"status {status}" in report["verdict"]
    assert mend in report["verdict"]


def test_a_grpc_port_is_recognised(capsys: Capture, monkeypatch: Patch) -> None:
    with Receiver(otherwise=Answer(raw=b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18))) as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        assert "speaks gRPC, not HTTP" in _examined(capsys, 1)["verdict"]


def test_a_collector_that_is_not_there_is_a_problem_if_it_was_named(capsys: Capture, monkeypatch: Patch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    told = _told(capsys, 1)
    assert "connection refused: nobody listens on port 1" in told
    assert "✗ mend this: the probe span was not delivered to http://127.0.0.1:1/v1/traces" in told


def test_without_an_endpoint_the_local_store_is_no_problem(capsys: Capture, monkeypatch: Patch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT")
    refused = probe.Probed(False, "connection refused: nobody listens on port 4318", "", "", 0.0)
    monkeypatch.setattr(probe, "send", lambda *_: refused)
    told = _told(capsys, 0)
    assert "no endpoint is set and nobody listens on http://localhost:4318/v1/traces" in told
    assert "remora show" in told


def test_the_probe_is_never_kept_in_the_local_store(capsys: Capture, tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    _examined(capsys, 1)
    assert not (tmp_path / "store").exists()


def test_secrets_stay_secret(capsys: Capture, endpoint: Receiver, monkeypatch: Patch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.url.replace("//", "//user:s3cret@"))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=s3cret")
    assert "s3cret" not in _told(capsys, 0)
    with Receiver(otherwise=Answer(401, body=b"s3cret is no key")) as strict:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", strict.url)
        assert "s3cret" not in _told(capsys, 1)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("REMORA_ENABLED", "false", "everything is switched off by REMORA_ENABLED"),
        ("OTEL_SDK_DISABLED", "true", "everything is switched off by OTEL_SDK_DISABLED"),
        ("OTEL_TRACES_EXPORTER", "none", "OTEL_TRACES_EXPORTER=none: traces go nowhere"),
        ("OTEL_TRACES_SAMPLER", "always_off", "OTEL_TRACES_SAMPLER=always_off: no trace is kept"),
        ("OTEL_BSP_SCHEDULE_DELAY", "soon", "OTEL_BSP_SCHEDULE_DELAY: 'soon' is not accepted"),
        ("REMORA_SERVICE", "x", "REMORA_SERVICE: no such variable"),
    ],
)
def test_settings_that_leave_no_spans_or_cannot_be_meant_are_problems(
    name: str, value: str, told: str, capsys: Capture, monkeypatch: Patch
) -> None:
    monkeypatch.setenv(name, value)
    assert told in _examined(capsys, 1)["verdict"]


def test_a_caller_that_does_not_keep_its_trace_is_a_problem_where_it_is_followed(
    capsys: Capture, monkeypatch: Patch
) -> None:
    monkeypatch.setenv("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")
    assert "TRACEPARENT ends in -00" in _examined(capsys, 1)["verdict"]
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_on")
    assert _examined(capsys, 0)["verdict"] == "ok"


def test_what_is_left_out_or_set_in_vain_is_worth_a_note(capsys: Capture, monkeypatch: Patch) -> None:
    monkeypatch.setenv("REMORA_EXCLUDED_URLS", "/health*")
    monkeypatch.setenv("OTEL_PYTHON_FLASK_EXCLUDED_URLS", "ready")
    monkeypatch.setenv("OTEL_LOGS_EXPORTER", "store")
    told = _told(capsys, 0)
    assert "REMORA_EXCLUDED_URLS=/health*: such requests are left out" in told
    assert "OTEL_PYTHON_*_EXCLUDED_URLS" in told
    assert "Remora sends no logs: OTEL_LOGS_EXPORTER is accepted and not read" in told


def test_a_sampling_ratio_is_worth_a_note_and_zero_is_a_problem(capsys: Capture, monkeypatch: Patch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.25")
    assert "0.25 of all traces are kept" in _told(capsys, 0)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
    assert "OTEL_TRACES_SAMPLER_ARG=0: no trace is kept" in _told(capsys, 1)


def test_a_library_that_is_too_old_is_a_problem_with_its_versions(site_packages: SitePackages, capsys: Capture) -> None:
    site_packages.install("fakelib", "0.9")
    site_packages.install_plugin("fakelib>=1,<2")
    problem = _examined(capsys, 1)["verdict"]
    assert "fakelib 0.9: refused, fakelib 0.9 is older than the tested range fakelib>=1,<2" in problem


def test_a_library_that_is_newer_is_a_note(site_packages: SitePackages, capsys: Capture) -> None:
    site_packages.install("fakelib", "2.5")
    site_packages.install_plugin("fakelib>=1,<2")
    assert "fakelib 2.5: would be traced, untested" in _told(capsys, 0)


def test_what_keeps_all_spans_away_is_named_before_a_plugin_that_fails(
    site_packages: SitePackages, capsys: Capture, monkeypatch: Patch
) -> None:
    site_packages.install("broken-plugins", "1.0", {"broken": "no_such_manifest"})
    assert "broken-plugins" in _examined(capsys, 1)["verdict"]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    report = _examined(capsys, 1)
    assert "nobody listens" in report["verdict"]
    assert len(report["problems"]) == 2


def test_a_store_that_cannot_be_written_is_a_problem(capsys: Capture, tmp_path: Path, monkeypatch: Patch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("REMORA_STORE_DIR", str(tmp_path / "file"))
    assert "it is no folder; set REMORA_STORE_DIR" in _examined(capsys, 1)["verdict"]
    monkeypatch.setenv("REMORA_STORE_DIR", str(tmp_path / "file" / "below"))
    report = _examined(capsys, 1)
    assert f"{tmp_path / 'file'} is no folder" in report["verdict"]
    assert report["store"]["writable"] is False


def test_a_shell_in_which_everything_is_traced_is_recognised(capsys: Capture, monkeypatch: Patch) -> None:
    assert _examined(capsys, 0)["injected"] is False
    assert main(["run", "--print-env=plain"]) == 0
    name, _, value = capsys.readouterr().out.splitlines()[0].partition("=")
    monkeypatch.setenv(name, value)
    assert _examined(capsys, 0)["injected"] is True
