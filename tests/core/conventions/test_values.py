"""Attribute values are exact, whatever the library hands over."""

from __future__ import annotations

import enum
import http

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remora.conventions.recent_cy import Recent
from remora.conventions.values_cy import exact_int, exact_text


class Name(str, enum.Enum):
    FIRST = "first"


class Odd(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError


class Broken:
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", "a"),
        (b"a", "a"),
        (b"\xff", "�"),
        (Name.FIRST, "first"),
        (Odd("a"), "a"),
        (1, "1"),
        (None, None),
        (Broken(), None),
    ],
)
def test_a_text_is_exact(value: object, expected: str | None) -> None:
    found = exact_text(value)
    assert found == expected
    assert found is None or type(found) is str


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1),
        (http.HTTPStatus.OK, 200),
        ("200", 200),
        (b"200", 200),
        ("٣", None),
        ("-1", None),
        ("", None),
        (None, None),
        (1.5, None),
        (Broken(), None),
    ],
)
def test_a_number_is_exact(value: object, expected: int | None) -> None:
    found = exact_int(value)
    assert found == expected
    assert found is None or type(found) is int


@given(st.from_type(object) | st.text() | st.binary() | st.floats() | st.lists(st.integers()))
def test_no_value_makes_it_raise(value: object) -> None:
    exact_text(value)
    exact_int(value)


def test_a_memory_stays_within_its_bounds_and_keeps_what_is_used() -> None:
    recent = Recent(10, 1000)
    recent.keep("used", "answer")
    for number in range(100):
        recent.keep(number, number, 1)
        assert recent.find("used") == "answer"
    assert len(recent) <= 20
    assert recent.find(0) is None


def test_a_memory_lets_go_by_weight_too() -> None:
    recent = Recent(1000, 100)
    for number in range(100):
        recent.keep(number, number, 50)
    assert len(recent) < 10
