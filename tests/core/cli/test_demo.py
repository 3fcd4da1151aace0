"""`remora demo`, from its first line to its last trace."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import remora.cli.demo
from core.cli.stored import Store, order
from remora.cli.demo import command
from remora.cli.demo.checks import missing
from remora.cli.demo.visits import Visit, visits
from remora.cli.main import main
from remora.cli.show.gathering import Wanted, gather
from support.processes import Finished, run
from support.receiver import Receiver

if TYPE_CHECKING:
    from core.cli.distributions import SitePackages
    from core.cli.stored import Recorded

EXAMPLE = Path(__file__).parents[3] / "examples" / "shop"


def _demo(site_packages: SitePackages, *options: str, **env: str) -> Finished:
    pytest.importorskip("flask")
    pytest.importorskip("requests")
    env = {"PYTHONPATH": str(site_packages.folder), **env}
    return run([sys.executable, "-m", "remora", "demo", *options], env=env, launched=False)


def _tree(trace: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Depth, service and kind of each span."""
    return [(span["depth"], span["service"], span["kind"]) for span in trace["spans"]]


def test_it_ends_with_the_trees_of_its_requests_within_ten_seconds(site_packages: SitePackages, tmp_path: Path) -> None:
    done = _demo(site_packages, REMORA_STORE_DIR=str(tmp_path / "store"))
    assert done.exit_code == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "✓ 7 requests, " in done.stdout
    assert "ZeroDivisionError" in done.stdout
    assert "GET /products/<product> 404" in done.stdout
    assert done.duration_s < 10
    assert not (tmp_path / "store").exists()


def test_server_client_server_and_queries_hang_below_each_other(site_packages: SitePackages) -> None:
    done = _demo(site_packages, "--json", "--requests", "5")
    document = json.loads(done.stdout)
    assert document["faults"] == []
    assert [trace["root"]["name"] for trace in document["traces"]] == [
        "GET /",
        "GET /products",
        "POST /orders",
        "GET /products/<product>",
        "POST /orders",
    ]
    sold, failed = document["traces"][2], document["traces"][4]
    assert _tree(sold) == [
        (0, "shop", "server"),
        (1, "shop", "client"),
        (1, "shop", "client"),
        (2, "stock", "server"),
        (3, "stock", "client"),
        (3, "stock", "client"),
        (1, "shop", "client"),
    ]
    assert sold["error"] is False
    assert [span["service"] for span in failed["spans"] if span["status"] == "error"] == ["shop", "shop", "stock"]


def test_a_collector_on_this_machine_gets_nothing_of_it(site_packages: SitePackages) -> None:
    with Receiver() as receiver:
        done = _demo(site_packages, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, OTEL_TRACES_SAMPLER="always_off")
        assert receiver.requests == []
    assert done.exit_code == 0, done.stdout + done.stderr


def test_kept_traces_are_what_remora_show_shows(
    site_packages: SitePackages, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = _demo(site_packages, "--keep", REMORA_STORE_DIR=str(tmp_path / "store"))
    assert done.exit_code == 0, done.stdout + done.stderr
    main(["show", "--errors", "--store", str(tmp_path / "store")])
    assert "POST /orders 500" in capsys.readouterr().out


def test_a_missing_library_is_one_line_with_the_command_that_installs_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == "flask" else object())
    assert main(["demo"]) == 1
    assert capsys.readouterr().err == f"remora: the demo needs flask: {sys.executable} -m pip install 'remora[demo]'\n"


def test_a_service_that_does_not_start_is_one_line_with_its_last_words(site_packages: SitePackages) -> None:
    (site_packages.folder / "werkzeug").mkdir()
    (site_packages.folder / "werkzeug" / "__init__.py").write_text("raise ImportError('this werkzeug is broken')")
    done = _demo(site_packages)
    assert done.exit_code == 1
    assert done.stderr.endswith("remora: the demo failed: stock did not start: ImportError: this werkzeug is broken\n")


def test_fewer_requests_than_show_a_failure_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["demo", "--requests", "2"])
    assert "a whole number from 5" in capsys.readouterr().err


SOLD = Visit("POST", "/orders", 201, {}, calls_stock=True)


def _faults(store: Store, *spans: Recorded) -> list[str]:
    store.write(*spans)
    return missing([SOLD], gather(str(store.folder), Wanted()).traces)


def test_a_whole_tree_has_no_faults(store: Store) -> None:
    assert _faults(store, *order()) == []


@pytest.mark.parametrize(
    ("left_out", "told"),
    [
        ((0,), "0 roots and 3 spans without their parent"),
        ((1, 6), "no SQL span below the shop's server span"),
        ((2,), "1 roots and 1 spans without their parent"),
        ((3,), "1 roots and 2 spans without their parent"),
        ((3, 4, 5), "the server span of stock is not below"),
        ((4, 5), "no SQL span below the server span of stock"),
        ((2, 3, 4, 5), "0 client spans below"),
    ],
)
def test_a_span_that_is_missing_is_a_fault(left_out: tuple[int, ...], told: str, store: Store) -> None:
    spans = [span for position, span in enumerate(order()) if position not in left_out]
    assert any(told in fault for fault in _faults(store, *spans))


def test_a_span_below_the_wrong_parent_is_a_fault(store: Store) -> None:
    spans = order()
    spans[3].parent = spans[0]
    assert any("the server span of stock is not below" in fault for fault in _faults(store, *spans))


def test_a_request_without_its_trace_is_a_fault(store: Store) -> None:
    store.write(*order())
    traces = gather(str(store.folder), Wanted()).traces
    assert missing([SOLD, SOLD], traces) == ["2 requests were sent, and there are 1 traces"]


def test_requests_go_round() -> None:
    assert {visit.status for visit in visits(5)} == {200, 201, 404, 500}
    assert len(visits(50)) == 50


def test_the_example_is_the_very_code_that_the_demo_runs() -> None:
    shipped = Path(remora.cli.demo.__file__).parent
    for name in ("shop.py", "stock.py"):
        assert (EXAMPLE / name).read_text() == (shipped / name).read_text()
