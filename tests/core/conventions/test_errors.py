"""What a failure is called and how it is told."""

from __future__ import annotations

import asyncio

import pytest

from remora.conventions import errors


class Outer:
    class InnerError(Exception):
        pass


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        (ValueError(), "ValueError"),
        (asyncio.InvalidStateError(), "asyncio.exceptions.InvalidStateError"),
        (Outer.InnerError(), f"{__name__}.Outer.InnerError"),
    ],
)
def test_an_error_goes_by_its_full_class_name(exception: BaseException, expected: str) -> None:
    assert errors.type_of(exception) == expected


def test_a_description_is_the_message_redacted_and_short() -> None:
    assert errors.description(ValueError("bad password=s3cret")) == "bad password=REDACTED"
    assert len(errors.description(ValueError("x" * 10_000)) or "") == 512


@pytest.mark.parametrize("exception", [None, ValueError(), MuteError()])
def test_without_a_message_there_is_no_description(exception: BaseException | None) -> None:
    assert errors.description(exception) is None


def test_only_giving_up_is_no_error() -> None:
    assert errors.cancelled(asyncio.CancelledError())
    assert errors.cancelled(GeneratorExit())
    assert not errors.cancelled(KeyboardInterrupt())
    assert not errors.cancelled(TimeoutError())
