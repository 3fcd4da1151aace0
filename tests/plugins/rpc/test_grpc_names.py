"""Targets and peers as gRPC writes them."""

from __future__ import annotations

import pytest

from remora.conventions.rpc import RpcServerCall
from remora_plugins.rpc import grpc_names


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"localhost:50051", ("localhost", 50051)),
        (b"shop.internal", ("shop.internal", None)),
        (b"dns:///shop.internal:443", ("shop.internal", 443)),
        (b"dns:shop.internal:443", ("shop.internal", 443)),
        (b"dns://8.8.8.8/shop.internal:443", ("shop.internal", 443)),
        (b"ipv4:10.0.0.1:5000", ("10.0.0.1", 5000)),
        (b"ipv6:[::1]:5000", ("::1", 5000)),
        (b"[::1]:5000", ("::1", 5000)),
        (b"ipv4:10.0.0.1:5000,10.0.0.2:5000", ("ipv4:10.0.0.1:5000,10.0.0.2:5000", None)),
        (b"unix:/run/shop.sock", ("/run/shop.sock", None)),
        (b"unix:///run/shop.sock", ("/run/shop.sock", None)),
        (b"unix:shop.sock", ("shop.sock", None)),
        (b"unix-abstract:shop", ("unix-abstract:shop", None)),
        (b"xds:///shop", ("xds:///shop", None)),
    ],
)
def test_a_target_names_host_and_port_or_stands_for_itself(target, expected):
    assert grpc_names.target(target) == expected


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("ipv4:127.0.0.1:5000", ("127.0.0.1", 5000)),
        ("ipv6:%5B::1%5D:5000", ("::1", 5000)),
        ("unix:/run/shop.sock", ("/run/shop.sock", None)),
        ("unix:", (None, None)),
        ("inproc", (None, None)),
    ],
)
def test_a_peer_is_an_address(peer, expected):
    call = RpcServerCall("grpc", "a/B")
    grpc_names.put_peer(call, peer)
    told = call.end(None)
    assert (told.get("network.peer.address"), told.get("network.peer.port")) == expected


def test_a_number_is_no_codes_name_unless_grpc_has_it():
    assert [grpc_names.status(code) for code in (None, 0, 5, 99)] == [None, None, "NOT_FOUND", "UNKNOWN"]
