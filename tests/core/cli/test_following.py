"""When `remora show --follow` shows a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.cli.stored import Recorded, Store, order
from remora.cli.show.following import Following
from remora.cli.show.gathering import Wanted
from remora.store.reader import Reader

if TYPE_CHECKING:
    from remora.cli.traces.tree import Trace
    from remora.store.scan import Damaged


class Watch:
    """A following whose clock stands still until it is told otherwise; ``shown`` has (root, spans, again)."""

    def __init__(self, store: Store, wanted: Wanted | None = None) -> None:
        self.store = store
        self.now_s = 100.0
        self.shown: list[tuple[str, int, bool]] = []
        self.damaged: list[Damaged] = []
        self._seen = 0
        self._following = Following(wanted or Wanted(), self._show, self.damaged.append, lambda: self.now_s)

    def write(self, *spans: Recorded) -> None:
        self.store.write(*spans)
        self.look()

    def look(self) -> None:
        found = list(Reader(str(self.store.folder)).read())
        for stored in found[self._seen :]:
            self._following.take(stored)
        self._seen = len(found)

    def after(self, seconds: float) -> list[tuple[str, int, bool]]:
        """What is shown when that time has passed."""
        self.now_s += seconds
        self.shown.clear()
        self._following.tick()
        return list(self.shown)

    def _show(self, trace: Trace, again: bool) -> None:
        self.shown.append((trace.head.span.name, len(trace.nodes), again))


@pytest.fixture
def watch(store: Store) -> Watch:
    return Watch(store)


def test_a_trace_is_shown_once_it_was_quiet_for_a_second(watch: Watch) -> None:
    watch.write(*order())
    assert watch.after(0.5) == []
    assert watch.after(0.6) == [("POST /orders", 7, False)]
    assert watch.after(10) == []


def test_each_new_span_puts_it_off(watch: Watch) -> None:
    spans = order()
    watch.write(*spans[:6])
    assert watch.after(0.9) == []
    watch.write(spans[6])
    assert watch.after(0.9) == []
    assert watch.after(0.2) == [("POST /orders", 7, False)]


def test_a_trace_without_its_root_waits_for_it(watch: Watch) -> None:
    spans = order()
    watch.write(*spans[1:])
    assert watch.after(20) == []
    watch.write(spans[0])
    assert watch.after(1.1) == [("POST /orders", 7, False)]


def test_a_trace_whose_root_never_comes_is_shown_all_the_same(watch: Watch) -> None:
    watch.write(*order()[1:])
    assert [(spans, again) for _, spans, again in watch.after(31)] == [(6, False)]


def test_a_root_that_is_known_to_be_elsewhere_is_not_waited_for(watch: Watch) -> None:
    watch.write(Recorded("GET /", "server", missing_parent="00f067aa0ba902b7", remote=True))
    assert watch.after(1.1) == [("GET /", 1, False)]


def test_spans_that_come_late_show_the_whole_trace_again(watch: Watch) -> None:
    spans = order()
    watch.write(*spans[:3])
    assert watch.after(1.1) == [("POST /orders", 3, False)]
    watch.write(*spans[3:])
    assert watch.after(1.1) == [("POST /orders", 7, True)]


def test_what_was_shown_is_forgotten_after_a_minute(watch: Watch) -> None:
    spans = order()
    watch.write(spans[0])
    assert watch.after(1.1) == [("POST /orders", 1, False)]
    watch.after(61)
    watch.write(spans[1])
    assert watch.after(31) == [("SELECT", 1, False)]


def test_only_what_is_wanted_is_shown(store: Store) -> None:
    watch = Watch(store, Wanted(errors=True))
    watch.write(*order())
    failed = Recorded("job", error="no")
    watch.write(failed)
    assert watch.after(1.1) == [("job", 1, False)]


def test_damage_is_told_and_passed_over(watch: Watch) -> None:
    watch.store.write_raw(b"\xff")
    watch.write(Recorded("job"))
    assert watch.after(1.1) == [("job", 1, False)]
    assert [one.file for one in watch.damaged] == [str(watch.store.files[0])]
