"""Every HTTP library of the manifest and every database's client tells what the published conventions ask for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from conformity.database_counting import count_database, rows_of
from conformity.database_ways import LATER, WAYS, Way, absent
from conformity.registry import FILE, SIDES, levels_of_span
from conformity.subjects import Subject, database_rows, found, http_rows, modules_of
from conformity.table import print_table
from conformity.taking import below, take
from conformity.unknowable import NEVER, UNKNOWABLE
from remora.testing import CollectedSpan
from support.servers import missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformity.counting import Score
    from remora.host.manifest import Instrumentation

if not FILE.exists():
    missing(f"the conventions' reference data is not at {FILE}")

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    # The applications fail on purpose, and some servers let it through to their thread.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]

_score_of: Callable[[Subject], Score] = cache(take)
SUBJECTS = [pytest.param(subject, id=subject.library) for subject in found().subjects]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_what_applies_is_told_by_default(subject: Subject) -> None:
    score = _score_of(subject)
    assert below(score) == [], "\n".join(score.missing)
    assert score.told_after_all == set(), "it is known after all: take it out of the table of what cannot be known"


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_condition_of_the_conventions_holds_in_some_situation(subject: Subject) -> None:
    own = hasattr(subject.way, "situations")  # handshakes know neither redirects nor methods
    wanted = set(levels_of_span(subject.side)) - NEVER.keys()
    if subject.side == "server" and not subject.way.knows_routes:
        wanted -= {"http.route"}
    if subject.side == "client" and not subject.way.follows_redirects:
        wanted -= {"http.request.resend_count"}
    seen = _score_of(subject).seen
    assert wanted - seen <= ({"http.request.method_original"} if own else set())


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in http_rows()])
def test_every_http_library_of_the_manifest_is_counted(row: Instrumentation) -> None:
    absent = modules_of(row) & found().absent.keys()
    if absent:
        missing(found().absent[absent.pop()])
    counted = {subject.module.rpartition(".")[2] for subject in found().subjects}
    # The websockets' tests hold no contract; their ways stand in a module of the conformity's own.
    if row.name.startswith("websockets"):
        assert "websocket_ways" in counted
    else:
        assert modules_of(row) & counted


_score_of_database: Callable[[Way], Score] = cache(count_database)


@pytest.mark.parametrize("way", [pytest.param(way, id=way.library) for way in WAYS])
def test_a_databases_client_tells_what_applies_by_default(way: Way) -> None:
    reason = absent(way)
    if reason:
        missing(reason)
    score = _score_of_database(way)
    assert score.applicable["required"] >= 3
    assert below(score) == [], "\n".join(score.missing)
    assert score.told_after_all == set(), "it is known after all: take it out of what is untold"
    assert {key for key, row in rows_of(way.system).items() if row["requirement_level"] == "required"} <= score.seen


def test_every_databases_client_that_is_counted_is_in_the_manifest() -> None:
    assert {way.row for way in WAYS} <= {row.name for row in database_rows()}


def test_what_is_only_known_later_is_an_attribute_of_the_conventions() -> None:
    for system, keys in LATER.items():
        assert keys.keys() <= rows_of(system).keys()


@pytest.mark.parametrize("side", SIDES)
def test_what_never_applies_to_http_is_an_attribute_of_the_conventions(side: str) -> None:
    assert NEVER.keys() <= levels_of_span(side).keys()


def test_what_cannot_be_known_names_libraries_that_are_counted() -> None:
    assert UNKNOWABLE.keys() <= {subject.library for subject in found().subjects}


def test_a_library_that_tells_less_is_below_the_target_and_the_table_names_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent(CollectedSpan):
        def __init__(self, span: Any) -> None:
            super().__init__(span)
            self.attributes.pop("network.peer.port", None)

    monkeypatch.setattr("remora.testing.CollectedSpan", Silent)
    (subject,) = [subject for subject in found().subjects if subject.library == "Requests"]
    score = take(subject)
    assert below(score) == ["recommended"]
    assert print_table([score], {}) == 1
    assert "recommended: network.peer.port is None instead of" in capsys.readouterr().out
