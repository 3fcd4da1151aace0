"""Headers on spans: which are taken, in which shape, and what never is."""

from __future__ import annotations

from email.message import Message
from typing import Any

import httpx
import pytest

from remora.conventions import header_pairs
from remora.conventions.captured_headers import Captured


def captured(headers: Any, *expressions: str, sanitized: tuple[str, ...] = ()) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    Captured("http.request.header", expressions, sanitized).put(attributes, headers)
    return attributes


def message() -> Message:
    made = Message()
    made["Accept"] = "a"
    made["Accept"] = "b"
    return made


SHAPES = [
    [("Accept", "a"), ("accept", "b")],
    [(b"accept", b"a"), (b"accept", b"b")],
    (("ACCEPT", "a"), ("Accept", "b")),
    httpx.Headers([("Accept", "a"), ("Accept", "b")]),
    message(),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: type(shape).__name__)
def test_a_header_sent_twice_is_a_list_of_two_whatever_the_shape(shape: Any) -> None:
    assert captured(shape, "accept") == {"http.request.header.accept": ("a", "b")}


def test_a_name_is_matched_in_full_and_in_any_case() -> None:
    headers = {"X-Team": "1", "X-Team-Lead": "2", "My-X-Team": "3"}
    assert set(captured(headers, "x-TEAM")) == {"http.request.header.x-team"}
    assert set(captured(headers, "x-.*")) == {"http.request.header.x-team", "http.request.header.x-team-lead"}


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "Proxy-Authorization",
        "X-Authorization",
        "Cookie",
        "Set-Cookie",
        "Set-Cookie2",
        "X-Api-Key",
        "Ocp-Apim-Subscription-Key",
        "X-Auth-Token",
        "X-CSRF-Token",
        "X-Amz-Security-Token",
        "X-Goog-IAP-JWT-Assertion",
        "X-Amzn-Oidc-Data",
        "X-Forwarded-Client-Cert",
        "X-Hub-Signature",
        "Session-Id",
    ],
)
def test_a_header_with_credentials_is_redacted(name: str) -> None:
    assert list(captured({name: "hunter2"}, ".*").values()) == [("REDACTED",)]


@pytest.mark.parametrize("name", ["Accept", "Content-Type", "Idempotency-Key", "X-Request-Id", "ETag", "Host"])
def test_other_headers_are_shown(name: str) -> None:
    assert list(captured({name: "plain"}, ".*").values()) == [("plain",)]


def test_the_user_can_have_more_redacted() -> None:
    found = captured({"X-Customer": "me", "X-Shown": "1"}, ".*", sanitized=("customer",))
    assert found == {"http.request.header.x-customer": ("REDACTED",), "http.request.header.x-shown": ("1",)}


@pytest.mark.parametrize(
    "value",
    [
        "https://me:hunter2@shop.example/",
        "/callback?sig=hunter2",
        "https://shop.example/?a=1&access_token=hunter2",
        "Bearer hunter2hunter2hunter2",
        "password=hunter2",
    ],
)
def test_a_value_with_a_secret_in_it_loses_it(value: str) -> None:
    assert "hunter2" not in repr(captured({"Location": value}, "location"))


def test_there_are_bounds() -> None:
    found = captured([(f"x-{index}", "v" * 10_000) for index in range(5000)], ".*")
    assert len(found) == 64
    assert {len(values[0]) for values in found.values()} == {2048}


@pytest.mark.parametrize(
    ("text", "size"), [("12", 12), ("0", 0), ("-1", None), ("", None), ("1e3", None), ("9" * 30, None)]
)
def test_content_length_is_a_whole_number_or_nothing(text: str, size: int | None) -> None:
    assert header_pairs.length({"Content-Length": text}) == size


def test_without_headers_there_is_nothing() -> None:
    assert captured(None, ".*") == {}
    assert header_pairs.length(None) is None
