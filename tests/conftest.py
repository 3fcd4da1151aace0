"""What every test starts from: an environment without settings, and the servers it may ask for."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from support.mariadb import fresh_mariadb_database, mariadb_server
from support.servers import fresh_database, postgres_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.servers import Database

IN_CI = os.environ.get("CI", "").lower() == "true"

# Reproducible where a failure must be repeatable by others, exploring where somebody watches.
hypothesis_settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.register_profile("here", deadline=None)
hypothesis_settings.load_profile("ci" if IN_CI else "here")

# Before any import of ours: the tester's own telemetry settings are not what is tested, but the choice of twin may be.
_OF_THE_INSTALLATION = {"REMORA_NO_EXT", "REMORA_PURE_PYTHON", "REMORA_REQUIRE_EXT"}
_FOREIGN = ("OTEL_", "REMORA_", "TRACEPARENT", "TRACESTATE", "BAGGAGE")
for name in [name for name in os.environ if name.startswith(_FOREIGN) and name not in _OF_THE_INSTALLATION]:
    del os.environ[name]


_LONG = {
    "packaging": "installs Remora several times; runs with CI=true or -m packaging",
    "hosts": "runs other libraries' own test suites; runs with CI=true or -m hosts",
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if IN_CI:
        return
    for marker, reason in _LONG.items():
        if marker in config.option.markexpr:
            continue
        skip = pytest.mark.skip(reason=reason)
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(skip)


# A shell that starts us in the background has SIGINT ignored, nohup SIGHUP, and so would have every program under test.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)  # programs under test have the default again

if os.environ.get("REMORA_PURE_PYTHON"):  # as the launch does it, before any compiled module is imported
    from remora import _pure

    _pure.install()


@pytest.fixture(scope="session")
def postgres_of_the_session() -> Iterator[Database]:
    with postgres_server() as server:
        yield server


@pytest.fixture
def postgres(postgres_of_the_session: Database) -> Iterator[Database]:
    """An empty PostgreSQL database for one test."""
    with fresh_database(postgres_of_the_session) as database:
        yield database


@pytest.fixture(scope="session")
def mariadb_of_the_session() -> Iterator[Database]:
    with mariadb_server() as server:
        yield server


@pytest.fixture
def mariadb(mariadb_of_the_session: Database) -> Iterator[Database]:
    """An empty MariaDB database for one test."""
    with fresh_mariadb_database(mariadb_of_the_session) as database:
        yield database
