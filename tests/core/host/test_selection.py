"""Who is armed: allow and deny lists, what they mean by a name, and the answer to "why is this off?"."""

from __future__ import annotations

import pytest

from remora.host.selection import Selection


def chosen(
    allowed: list[str], denied: list[str], name: str, *also: str, kind: str = "plugin", default: bool = True
) -> bool:
    return Selection(allowed, denied).choose(kind, name, also, default).on


def test_by_default_everything_is_on() -> None:
    assert chosen(["*"], [], "requests")


@pytest.mark.parametrize("pattern", ["requests", "REQUESTS", " requests ", "req*", "re?uests", "*"])
def test_a_name_or_glob_on_the_deny_list_switches_off(pattern: str) -> None:
    assert not chosen(["*"], [pattern], "requests")


@pytest.mark.parametrize("pattern", ["request", "flask", "urllib?", "urllib"])
def test_a_pattern_hits_whole_names_only(pattern: str) -> None:
    assert chosen(["*"], [pattern], "requests")


def test_only_what_the_allow_list_names_is_on_and_the_deny_list_wins() -> None:
    assert chosen(["flask", "urllib*"], [], "urllib3")
    assert not chosen(["flask", "urllib*"], [], "requests")
    assert not chosen(["flask", "urllib*"], ["urllib3"], "urllib3")
    assert not chosen([], [], "requests")


def test_dashes_and_underscores_are_the_same() -> None:
    assert not chosen(["*"], ["aiohttp-client"], "aiohttp_client")


def test_names_of_opentelemetry_contrib_hit_by_import_name_and_distribution() -> None:
    assert not chosen(["*"], ["kafka"], "kafka_python", "kafka", "kafka-python")
    assert not chosen(["*"], ["kafka-python"], "kafka_python", "kafka", "kafka-python")
    assert chosen(["*"], ["kaf?a"], "other", "kafka"), "a glob is on names only"


def test_ours_and_guests_of_one_name_can_be_told_apart() -> None:
    assert not chosen(["*"], ["guest:flask"], "flask", kind="guest")
    assert chosen(["*"], ["guest:flask"], "flask", kind="plugin")
    assert not chosen(["*"], ["guest:*"], "celery", kind="guest")
    assert chosen(["*"], ["plugin:flask"], "flask", kind="guest")


def test_what_is_off_by_default_must_be_asked_for_by_name() -> None:
    assert not chosen(["*"], [], "profiler", default=False)
    assert chosen(["*", "profiler"], [], "profiler", default=False)
    assert chosen(["prof*"], [], "profiler", default=False)


def test_the_reason_names_the_variable_to_change() -> None:
    selection = Selection(["flask", "jinja2"], ["url*"])
    assert selection.choose("plugin", "urllib3").reason == "disabled by OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=url*"
    assert selection.choose("plugin", "requests").reason == "not in REMORA_INSTRUMENTATIONS=flask,jinja2"
    off = Selection(["*"], []).choose("producer", "profiler", default_on=False)
    assert off.reason == "off unless asked for: add profiler to REMORA_INSTRUMENTATIONS"


def test_a_pattern_without_effect_is_noted_with_the_name_that_was_probably_meant() -> None:
    selection = Selection(["*"], ["reqests", "tortoiseorm", "flask", "guest:*"])
    for name in ("requests", "flask", "urllib3"):
        selection.choose("plugin", name)
    notes = dict(selection.unmatched())
    assert notes == {
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=reqests matches no plugin": "requests",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=tortoiseorm matches no plugin": None,
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=guest:* matches no plugin": None,
    }


def test_a_pattern_behind_the_one_that_decided_counts_as_used() -> None:
    selection = Selection(["*", "flask"], ["fl*", "flask"])
    selection.choose("plugin", "flask")
    assert selection.unmatched() == []
