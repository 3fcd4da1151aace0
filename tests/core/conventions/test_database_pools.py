"""Pools: names, what is told of them, and that nobody notices."""

from __future__ import annotations

import gc
import os
import weakref
from types import SimpleNamespace

import pytest

from remora.conventions.database_pools import Pools, PoolState, pool_name
from remora.operation.measuring_cy import Measuring
from remora.telemetry.metering import Metering
from remora.telemetry.scope import Scope


class Library:
    """A pool as libraries have them."""

    def __init__(self, place="127.0.0.1:5432/shop", used=0, idle=0):
        self.place = place
        self.used = used
        self.idle = idle
        self.closed = False


def _state(_, pool):
    return None if pool.closed else PoolState(pool.used, pool.idle, most=5)


@pytest.fixture(autouse=True)
def nothing_left():
    gc.collect()


@pytest.fixture
def metering():
    return Metering()


@pytest.fixture
def faults():
    return []


@pytest.fixture
def pools(metering, faults):
    operations = SimpleNamespace(
        measuring=Measuring(metering, Scope("remora.test", None)),
        active=True,
        fault=lambda where, error: faults.append((where, error)),
    )
    return Pools(operations, lambda pool: pool.place, _state)


def told(metering, metric="count"):
    """name and state -> value"""
    return {
        tuple(sorted(map(str, point.attributes.values()))): point.value
        for collected in metering.snapshot()
        if collected.name == f"db.client.connection.{metric}"
        for point in collected.points
    }


@pytest.mark.parametrize(
    ("host", "port", "namespace", "name"),
    [
        ("db.example", 5432, "shop", "db.example:5432/shop"),
        ("db.example", "5432", b"shop", "db.example:5432/shop"),
        ("db.example", None, "shop", "db.example/shop"),
        ("/run/mysqld.sock", 3306, "shop", "/run/mysqld.sock/shop"),
        (None, None, "shop", "shop"),
        ("db.example", 27017, None, "db.example:27017"),
        (None, None, None, "unknown"),
    ],
)
def test_a_pool_is_named_by_its_place(host, port, namespace, name):
    assert pool_name(host, port, namespace) == name


def test_what_pools_hold_is_read_off_them_when_metrics_are_collected(pools, metering):
    pool = Library(used=2, idle=1)
    pools.see(pool)
    assert told(metering) == {("127.0.0.1:5432/shop", "used"): 2, ("127.0.0.1:5432/shop", "idle"): 1}
    pool.used = 0
    assert told(metering)["127.0.0.1:5432/shop", "used"] == 0
    assert told(metering, "max") == {("127.0.0.1:5432/shop",): 5}
    assert told(metering, "pending_requests") == {}


def test_pools_of_one_place_have_names_of_their_own_which_are_free_again_when_they_are_gone(pools, metering):
    first, second = Library(), Library()
    pools.see(first)
    pools.see(second)
    assert {name for name, _ in told(metering)} == {"127.0.0.1:5432/shop", "127.0.0.1:5432/shop#2"}
    del first
    third = Library()
    pools.see(third)
    assert {name for name, _ in told(metering)} == {"127.0.0.1:5432/shop", "127.0.0.1:5432/shop#2"}


def test_a_closed_pool_leaves_its_name_to_the_next(pools, metering):
    first, second = Library(), Library(used=7)
    pools.see(first)
    told(metering)
    first.closed = True
    pools.see(second)
    assert told(metering) == {("127.0.0.1:5432/shop", "used"): 7, ("127.0.0.1:5432/shop", "idle"): 0}


def test_no_pool_is_kept_alive(pools, metering):
    pool = Library()
    pools.see(pool)
    pools.of(pool).borrowed(object(), 0.0)
    alive = weakref.ref(pool)
    told(metering)
    del pool
    assert alive() is None
    assert told(metering) == {}


def test_a_pool_that_nothing_can_refer_to_weakly_is_left_alone(pools, metering, faults):
    assert pools.of(17) is None
    assert (told(metering), faults) == ({}, [])


def test_a_pool_that_cannot_be_read_is_a_fault_and_the_others_are_told(pools, metering, faults):
    broken, sound = Library(), Library("elsewhere")
    del broken.used
    pools.see(broken)
    pools.see(sound)
    assert ("elsewhere", "used") in told(metering)
    assert {where for where, _ in faults} == {"pool"}
    assert isinstance(faults[0][1], AttributeError)


def test_too_many_pools_are_not_all_told(pools, metering):
    many = [Library() for _ in range(300)]
    for pool in many:
        pools.see(pool)
    assert len({name for name, _ in told(metering)}) == 256


def test_only_the_first_return_of_a_connection_is_timed(pools, metering):
    pool, connection = Library(), object()
    seen = pools.of(pool)
    seen.borrowed(connection, 0.0)
    seen.returned(connection)
    seen.returned(connection)
    seen.returned(object())
    (used,) = [collected for collected in metering.snapshot() if collected.name.endswith("use_time")]
    assert [point.count for point in used.points] == [1]


def test_an_idle_process_goes_on_telling_with_deltas_too():
    metering = Metering("delta")
    operations = SimpleNamespace(measuring=Measuring(metering, Scope("remora.test", None)), active=True, fault=None)
    pools = Pools(operations, lambda pool: pool.place, _state)
    assert not metering.holds()
    pool = Library(used=1)
    pools.see(pool)
    for _ in range(2):
        assert metering.holds()
        (count,) = [each for each in metering.collect() if each.name == "db.client.connection.count"]
        assert not count.delta
        assert not count.monotonic
        assert {point.value for point in count.points} == {0, 1}


def test_a_quarantined_plugin_tells_nothing(pools, metering):
    pool = Library()
    pools.see(pool)
    pools._operations.active = False
    assert told(metering) == {}


def test_a_forked_child_tells_its_own(pools, metering):
    pool = Library(used=1)
    pools.see(pool)
    pools.of(pool).timed_out()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            metering.forked()
            pool.used = 3
            seen = told(metering)["127.0.0.1:5432/shop", "used"], told(metering, "timeouts")
            pools.of(pool).timed_out()
            if seen == (3, {}) and told(metering, "timeouts") == {("127.0.0.1:5432/shop",): 1}:
                code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert told(metering)["127.0.0.1:5432/shop", "used"] == 1
    assert told(metering, "timeouts") == {("127.0.0.1:5432/shop",): 1}
