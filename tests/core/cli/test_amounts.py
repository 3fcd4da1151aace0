"""Durations, sizes and times as people read and write them."""

from __future__ import annotations

import pytest

from remora.cli import amounts


@pytest.mark.parametrize(
    ("nanoseconds", "written"),
    [
        (0, "0 µs"),
        (840, "1 µs"),
        (184_300, "184 µs"),
        (999_499, "999 µs"),
        (999_600, "1.00 ms"),
        (9_994_000, "9.99 ms"),
        (9_996_000, "10.0 ms"),
        (99_960_000, "100 ms"),
        (999_400_000, "999 ms"),
        (999_600_000, "1.00 s"),
        (61_000_000_000, "61.0 s"),
        (119_600_000_000, "2m 00s"),
        (605_000_000_000, "10m 05s"),
        (7_380_000_000_000, "2h 03m"),
        (-1_500_000, "-1.50 ms"),
    ],
)
def test_a_duration_has_three_digits_and_a_unit(nanoseconds: int, written: str) -> None:
    assert amounts.duration(nanoseconds) == written


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("10m", 600), ("10min", 600), ("2h", 7200), ("1h30m", 5400), ("1.5h", 5400), ("1d", 86_400),
     ("250ms", 0.25), (" 3 D ", 259_200)],
)  # fmt: skip
def test_a_time_is_written_with_its_unit(text: str, seconds: float) -> None:
    assert amounts.span_of_time_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "10", "1y", "m", "10m later", "-5m", "5mm"])
def test_a_time_that_cannot_be_meant_is_told_how_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match="30s, 10m, 2h"):
        amounts.span_of_time_s(text)


@pytest.mark.parametrize(
    ("size_bytes", "written"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (5_500_000, "5.2 MiB"), (1 << 33, "8.0 GiB")],
)
def test_a_size_has_a_binary_unit(size_bytes: int, written: str) -> None:
    assert amounts.size(size_bytes) == written


def test_a_time_beyond_any_calendar_is_shown_as_the_number_it_is() -> None:
    assert amounts.moment(1_700_000_000_123_456_789) == "2023-11-14 22:13:20.123"
    assert amounts.moment((1 << 64) - 1) == "2554-07-21 23:34:33.709"
    assert amounts.moment(-(1 << 100)) == f"{-(1 << 100)} ns"
