"""Which requests a list of patterns or regular expressions leaves out."""

from __future__ import annotations

import pytest

from remora.conventions.database import DatabaseCall
from remora.conventions.excluded import Excluded
from remora.conventions.http_client import HttpClientCall
from remora.conventions.http_server import HttpServerCall


def served(url: str, scheme: str = "http") -> HttpServerCall:
    host, slash, rest = url.partition("/")
    path, _, query = rest.partition("?")
    return HttpServerCall("GET", scheme, slash + path, query, {"host": host}.get)


PATTERNS = [
    ("/health", "a.example/health", True),
    ("/health", "a.example/health?deep=1", True),
    ("/health", "a.example/healthy", False),
    ("/health", "a.example/v1/health", False),
    ("/health*", "a.example/health/live/now", True),
    ("*/health", "a.example/v1/health", True),
    ("/v?/health", "a.example/v1/health", True),
    ("/a.b", "a.example/axb", False),
    ("/[x]", "a.example/[x]", True),
    ("a.example", "a.example/anything", True),
    ("A.Example", "a.example/anything", True),
    ("a.example:8080", "a.example:8080/x", True),
    ("a.example:8080", "a.example/x", False),
    ("a.example:80", "a.example/x", True),
    ("*.example", "a.example/x", True),
    ("example", "a.example/x", False),
    ("a.example/x", "a.example/x", True),
    ("a.example/x", "b.example/x", False),
    ("a.example/*", "a.example:8080/x", False),
    ("a.example*/x", "a.example:8080/x", True),
    ("http://a.example/*", "a.example/x", True),
    ("https://a.example/*", "a.example/x", False),
]


@pytest.mark.parametrize(("pattern", "url", "out"), PATTERNS)
def test_a_pattern_is_held_against_path_host_or_url_of_both_directions(pattern: str, url: str, out: bool) -> None:
    excluded = Excluded((), ("/other", pattern))
    assert excluded(served(url)) is out
    assert excluded(HttpClientCall("GET", f"http://user:pass@{url}#fragment")) is out


EXPRESSIONS = [
    ("health", "a.example/healthy", True),
    ("health$", "a.example/health", True),
    ("health$", "a.example/health?deep=1", True),
    ("deep=1", "a.example/health?deep=1", True),
    ("^/health", "a.example/health", True),
    ("^http://a.example/", "a.example/", True),
    ("client/.*/info", "a.example/client/7/info", True),
    ("nothing", "a.example/health", False),
    ("Health", "a.example/health", False),
]


@pytest.mark.parametrize(("expression", "url", "out"), EXPRESSIONS)
def test_a_regular_expression_is_searched_in_path_and_url(expression: str, url: str, out: bool) -> None:
    excluded = Excluded(("never", expression), ())
    assert excluded(served(url)) is out
    assert excluded(HttpClientCall("GET", f"http://{url}")) is out


def test_a_password_is_not_searched() -> None:
    assert not Excluded(("hunter2",), ())(HttpClientCall("GET", "http://me:hunter2@a.example/"))


def test_bytes_are_read_and_a_request_without_a_host_goes_by_the_servers() -> None:
    call = HttpServerCall("GET", "https", b"/health", b"a=1", host="inner.example", port=8443)
    assert Excluded((), ("inner.example:8443",))(call)
    assert Excluded(("^https://inner.example:8443/health\\?a=1$",), ())(call)


def test_other_calls_are_never_left_out() -> None:
    assert not Excluded((".*",), ("*", "/*"))(DatabaseCall("postgresql", host="a.example"))


def test_a_call_that_cannot_be_judged_is_kept_and_told(capfd: pytest.CaptureFixture[str]) -> None:
    def broken(_: str) -> str:
        raise RuntimeError("no headers")

    assert not Excluded((".*",), ())(HttpServerCall("GET", "http", "/", header=broken))
    assert "could not be judged" in capfd.readouterr().err
