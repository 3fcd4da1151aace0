"""Servers that several clients of this family talk to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.cache_servers import memcached_server, redis_cluster, redis_server
from support.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def redis_port() -> Iterator[int]:
    with redis_server() as port:
        yield port


@pytest.fixture(scope="session")
def cluster_port() -> Iterator[int]:
    with redis_cluster() as port:
        yield port


@pytest.fixture(scope="session")
def memcached_port() -> Iterator[int]:
    with memcached_server() as port:
        yield port


@pytest.fixture
def unused_port() -> int:
    return free_port()
