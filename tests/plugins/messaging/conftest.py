"""Brokers that several clients of this family talk to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.brokers import kafka_broker, new_kafka_topic, rabbitmq_server
from support.cache_servers import redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def rabbitmq_port() -> Iterator[int]:
    with rabbitmq_server() as port:
        yield port


@pytest.fixture(scope="session")
def redis_port() -> Iterator[int]:
    with redis_server() as port:
        yield port


@pytest.fixture(scope="session")
def kafka_port() -> Iterator[int]:
    with kafka_broker() as port:
        yield port


@pytest.fixture
def kafka_topic(kafka_port: int) -> str:
    """A topic of one partition that no other test has."""
    return new_kafka_topic(kafka_port)


@pytest.fixture
def kafka_stand_in() -> Iterator[str]:
    """The address of librdkafka's own mock of a broker, which knows all transactions and any topic."""
    from confluent_kafka import Producer

    mock = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    (node,) = mock.list_topics(timeout=30).brokers.values()
    yield f"{node.host}:{node.port}"
    del mock
