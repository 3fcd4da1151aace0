"""URLs of every shape libraries hand over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remora.conventions import url_cy as url

SECRET = "hunter2S3cret"

SPLIT = [
    ("https://shop.example/a?b=1#c", ("https", "shop.example", 443)),
    ("http://shop.example", ("http", "shop.example", 80)),
    ("HTTP://shop.example/", ("http", "shop.example", 80)),
    ("http://shop.example:8080/", ("http", "shop.example", 8080)),
    ("http://shop.example:/", ("http", "shop.example", 80)),
    ("http://shop.example?x=/1", ("http", "shop.example", 80)),
    ("http://shop.example#x", ("http", "shop.example", 80)),
    ("http://[::1]:8080/x", ("http", "::1", 8080)),
    ("http://[2001:db8::1]/x", ("http", "2001:db8::1", 80)),
    ("http://user:pass@shop.example:81/", ("http", "shop.example", 81)),
    ("http://us:er:p@ss@shop.example:81/", ("http", "shop.example", 81)),
    ("wss://shop.example/ws", ("wss", "shop.example", 443)),
    ("//shop.example/x", (None, "shop.example", 80)),
    ("shop.example:81/x", (None, "shop.example", 81)),
    ("/only/a/path?u=http://x/y", (None, None, None)),
    ("http+unix://%2Fvar%2Frun%2Fdocker.sock/v1", ("http+unix", "/var/run/docker.sock", None)),
    ("http://bücher.example/", ("http", "bücher.example", 80)),
    ("http://shop.example:notaport/", ("http", "shop.example", 80)),
    ("http://shop.example:99999/", ("http", "shop.example", 80)),
    ("", (None, None, None)),
    (None, (None, None, None)),
    (b"http://shop.example/", ("http", "shop.example", 80)),
]


@pytest.mark.parametrize(("given_url", "expected"), SPLIT)
def test_a_url_is_taken_apart(given_url: object, expected: tuple[str | None, str | None, int | None]) -> None:
    for _ in range(2):  # the second time from memory
        origin, _rest = url.split(given_url)
        assert (origin.scheme, origin.address, origin.port) == expected


FULL = [
    ("https://user:pass@shop.example/a", "https://REDACTED:REDACTED@shop.example/a"),
    ("https://user@shop.example/a", "https://REDACTED:REDACTED@shop.example/a"),
    ("https://user:pa/ss@shop.example/a", "https://REDACTED:REDACTED@shop.example/a"),
    ("https://shop.example/a?sig=x&b=1", "https://shop.example/a?sig=REDACTED&b=1"),
    ("https://shop.example/a?b=1#access_token=x", "https://shop.example/a?b=1#access_token=REDACTED"),
    ("https://shop.example/a?", "https://shop.example/a?"),
    ("https://shop.example/a#b", "https://shop.example/a#b"),
    ("https://shop.example/a;jsessionid=x/b;v=1", "https://shop.example/a;jsessionid=REDACTED/b;v=1"),
    ("https://hooks.slack.com/services/T/B/x", "https://hooks.slack.com/services/REDACTED"),
    ("https://api.telegram.org/bot1:x/getMe", "https://api.telegram.org/botREDACTED/getMe"),
    ("https://discord.com/api/webhooks/1/x", "https://discord.com/api/webhooks/1/REDACTED"),
    ("https://proxy.example/http://u:p@shop.example/", "https://proxy.example/http://REDACTED:REDACTED@shop.example/"),
    ("https://discord.com/developers", "https://discord.com/developers"),
]


@pytest.mark.parametrize(("given_url", "expected"), FULL)
def test_the_full_url_gives_access_to_nothing(given_url: str, expected: str) -> None:
    assert url.full(*url.split(given_url)) == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("https", "shop.example", 443, "/a?b=1"), "https://shop.example/a?b=1"),
        (("https", "shop.example", 8443, "/a"), "https://shop.example:8443/a"),
        (("http", "shop.example", None, "/a"), "http://shop.example/a"),
        (("http", "::1", 80, "/a"), "http://[::1]/a"),
        (("http", "[::1]", 81, "/a"), "http://[::1]:81/a"),
        ((b"http", b"shop.example", "81", b"/a"), "http://shop.example:81/a"),
        (("http", "proxy.example", 3128, "http://shop.example/a"), "http://shop.example/a"),
        (("http", "shop.example", 80, "*"), "http://shop.example/"),
        (("http", "shop.example", 80, ""), "http://shop.example/"),
    ],
)
def test_a_url_known_in_parts_is_put_together(parts: tuple[object, object, object, object], expected: str) -> None:
    assert url.absolute(*parts) == expected
    assert url.absolute(*parts) == expected


def test_many_hosts_do_not_fill_the_memory() -> None:
    for number in range(3000):
        url.split(f"http://host{number}.example/")
        url.absolute("http", f"host{number}.example", 81, "/")
    assert len(url._origins) <= 512
    assert len(url._absolutes) <= 512


def test_credentials_are_not_even_remembered() -> None:
    url.split(f"http://user:{SECRET}@shop.example/")
    assert not any(SECRET in head for head in url._origins)


@given(st.one_of(st.text(), st.binary(), st.text(alphabet="htp:/@?#[]%.;=&1a"), st.none(), st.integers()))
def test_no_url_makes_it_raise(anything: object) -> None:
    origin, rest = url.split(anything)
    full = url.full(origin, rest)
    assert type(full) is str
    assert origin.port is None or 0 <= origin.port <= 65535


@given(
    st.sampled_from(["http", "https", "postgresql", "amqp", ""]),
    st.text(alphabet="abc-._~%41", max_size=5),
    st.sampled_from(["{}", "/{}", "@{}", ":{}", "#{}", "?{}", "//{}", "%40{}", "{}/", "{}@", "{}x", "{}#"]),
)
def test_no_password_survives(scheme: str, user: str, password: str) -> None:
    given_url = f"{scheme}://{user}:{password.format(SECRET)}@shop.example:81/a?b=1"
    assert SECRET not in url.full(*url.split(given_url))
