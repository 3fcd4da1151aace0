"""The spans that are made: ten attributes each, seven strings, two ints, a bool, as an HTTP server has them."""

from __future__ import annotations

# More different ones than any batch holds, so that no compressor profits from seeing the same span twice.
DIFFERENT = 20_000
SPANS_PER_TRACE = 5


def attribute_set(n: int) -> dict[str, str | int | bool]:
    """The attributes of span number ``n``."""
    return {
        "http.request.method": "POST" if n % 5 == 0 else "GET",
        "url.scheme": "https",
        "url.path": f"/api/v1/customers/{n * 7919 % 100_003}/orders/{n}",
        "http.route": "/api/v1/customers/{customer_id}/orders/{order_id}",
        "server.address": "shop.example.com",
        "client.address": f"10.{n % 7}.{n * 31 % 251}.{n * 17 % 253}",
        "user_agent.original": f"Mozilla/5.0 (X11; Linux x86_64; rv:{120 + n % 9}.0) Gecko/20100101 Firefox/128.0",
        "server.port": 443,
        "http.response.status_code": (200, 200, 200, 204, 404)[n * 13 % 5],
        "shop.customer.returning": n % 3 == 0,
    }


def attribute_sets(first: int = 0, count: int = DIFFERENT) -> list[dict[str, str | int | bool]]:
    return [attribute_set(n) for n in range(first, first + count)]
