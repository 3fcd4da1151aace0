"""Requests that bear a cloud's signature."""

from __future__ import annotations

import pytest

from remora.conventions.http_client import HttpClientCall, signed


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu/s3/aws4_request"},
        {"authorization": b"AWS4-ECDSA-P256-SHA256 Credential=AKID"},
        {"Authorization": "AWS AKID:signature"},
        {"Authorization": "GOOG4-RSA-SHA256 Credential=x"},
        {"Authorization": "SharedKey account:signature"},
    ],
)
def test_a_signature_in_the_headers_is_seen(headers):
    assert signed("https://store.example/object", headers)


@pytest.mark.parametrize(
    "query", ["X-Amz-Signature=0", "a=1&X-Goog-Signature=0", "AWSAccessKeyId=A&Signature=0", "sv=1&sig=0"]
)
def test_a_signature_in_the_query_is_seen(query):
    assert signed(f"https://store.example/object?{query}", {})


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer AWS4"}, {"Authorization": 7}, {"X-Amz-Date": "now"}])
@pytest.mark.parametrize("url", ["https://shop.example/", "https://shop.example/?design=1&sign=2", b"?sig=", None])
def test_anything_else_is_not_signed(url, headers):
    assert not signed(url, headers)


def test_only_what_is_not_signed_takes_propagation_headers():
    headers = {}
    assert HttpClientCall("GET", "https://shop.example/", headers).carrier is headers
    assert HttpClientCall("GET", "https://shop.example/?sig=0", headers).carrier is None
