"""Which hosts trace context may travel to."""

from __future__ import annotations

import pytest

from remora.conventions.database import DatabaseCall
from remora.conventions.destinations import Destinations
from remora.conventions.http_client import HttpClientCall

HOSTS = [
    (("shop.example",), "https://shop.example/a", True),
    (("shop.example",), "https://SHOP.example/a", True),
    (("shop.example",), "https://shop.example.evil.test/a", False),
    (("shop.example",), "https://evil-shop.example/a", False),
    (("*.shop.example",), "https://a.b.shop.example/a", True),
    (("*.shop.example",), "https://shop.example/a", False),
    (("shop.example:443",), "https://shop.example/a", True),
    (("shop.example:443",), "http://shop.example/a", False),
    (("10.*",), "http://10.1.2.3:8080/", True),
    (("10.1.2.3:80??",), "http://10.1.2.3:8080/", True),
    (("::1",), "http://[::1]:8080/", True),
    (("*", "!*.stripe.com"), "https://api.stripe.com/", False),
    (("*", "!*.stripe.com"), "https://shop.example/", True),
    (("!*.stripe.com",), "https://shop.example/", True),
    (("shop.example",), "https://shop.example@evil.test/", False),
]


@pytest.mark.parametrize(("patterns", "url", "reached"), HOSTS)
def test_a_host_is_reached_if_a_pattern_allows_it_and_none_forbids_it(
    patterns: tuple[str, ...], url: str, reached: bool
) -> None:
    destinations = Destinations(patterns)
    for _ in range(2):  # the second answer is remembered
        assert destinations(HttpClientCall("GET", url)) is reached


def test_calls_that_are_no_http_go_by_their_host() -> None:
    destinations = Destinations(("shop.example",))
    assert destinations(DatabaseCall("postgresql", host="shop.example"))
    assert not destinations(DatabaseCall("postgresql", host="other.example"))
    assert destinations(DatabaseCall("postgresql"))


def test_what_was_judged_is_remembered_within_bounds() -> None:
    destinations = Destinations(("shop.example",))
    for index in range(2000):
        destinations(HttpClientCall("GET", f"http://h{index}.example/"))
    assert len(destinations._judged) <= 512
