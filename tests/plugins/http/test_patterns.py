"""Routes that are regular expressions, told as templates."""

from __future__ import annotations

import pytest

from remora_plugins.http.patterns import template


@pytest.mark.parametrize(
    ("route", "told"),
    [
        ("", "/"),
        ("^$", "/"),
        ("items/<int:number>", "/items/<int:number>"),
        (r"^items/(?P<number>\d+)/$", "/items/<number>/"),
        (r"^items/(\d+)/([^/]+)\Z", "/items/<var>/<var>"),
        (r"archive/(?P<year>[0-9]{4}|(new|old))/(?P<name>[^/.()]+)\.html$", "/archive/<year>/<name>.html"),
        (r"^a/(?:b|c)/(?P<rest>\(.*\))$", "/a/(?:b|c)/<rest>"),
        ("report (draft)", "/report (draft)"),
    ],
)
def test_a_route_becomes_a_template(route, told):
    assert template(route) == told
    assert template(route) == told


def test_a_route_nobody_can_read_is_still_a_fixed_text():
    unbalanced = r"^(?P<a>(((x)))$"
    assert template(unbalanced).startswith("/")
