"""What is told of the connection that a call went over."""

from __future__ import annotations

from typing import Any

import pytest

from remora.conventions.network_cy import put_network


def told(name: Any = None, version: Any = None, address: Any = None, port: Any = None) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    put_network(attributes, name, version, address, port)
    return attributes


def test_what_is_not_known_is_not_told() -> None:
    assert told() == {}
    assert told(name="http", port=80) == {}
    assert told(version="no version", address="") == {}


@pytest.mark.parametrize("version", ["HTTP/1.1", "1.1", 11, b"1.1", (1, 1)])
def test_a_version_is_told_as_the_convention_writes_it(version: object) -> None:
    assert told(version=version) == {"network.protocol.version": "1.1"}


def test_http_goes_without_saying_and_anything_else_does_not() -> None:
    assert told(name="HTTP", version="1.1") == {"network.protocol.version": "1.1"}
    assert told(name="SPDY", version="3")["network.protocol.name"] == "spdy"


def test_a_peer_is_an_address_and_where_known_a_port() -> None:
    assert told(address="10.0.0.9", port="5555") == {"network.peer.address": "10.0.0.9", "network.peer.port": 5555}
    assert told(address=b"/run/app.sock", port="none") == {"network.peer.address": "/run/app.sock"}
