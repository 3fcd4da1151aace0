"""redis-py's and valkey-py's pools"""

from __future__ import annotations

import pytest
import redis
import redis.asyncio
import valkey
import valkey.asyncio

from plugins.database.pool_contract import SIZE, AsyncPoolContract, Opened, Opening, PoolContract, WaitingPoolContract
from support.cache_servers import own_redis

# Of the command, which newer versions do not want to know.
_ARGUMENTS = () if tuple(map(int, redis.__version__.split(".")[:2])) >= (5, 3) else ("_",)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A server of one's own: at any other there may be pools of other tests."""
    made = str(tmp_path_factory.mktemp("redis") / "redis.sock")
    with own_redis("--unixsocket", made):
        yield made


@pytest.fixture
def name(path):
    return f"{path}/3"


def _blocking(module, path, patient):
    return module.BlockingConnectionPool(
        max_connections=SIZE,
        timeout=20.0 if patient else 0.05,
        connection_class=module.UnixDomainSocketConnection,
        path=path,
        db=3,
    )


def _plain(module, path):
    return module.ConnectionPool(
        max_connections=SIZE, connection_class=module.UnixDomainSocketConnection, path=path, db=3
    )


class TestRedisPool(PoolContract):
    library = redis
    arguments = _ARGUMENTS
    is_timed = False

    @pytest.fixture
    def open_pool(self, path):
        def opening():
            pool = _plain(self.library, path)
            return Opened(pool, lambda: pool.get_connection(*self.arguments), pool.release, pool.disconnect)

        made = Opening(opening)
        yield made
        made.close()


class TestValkeyPool(TestRedisPool):
    library = valkey
    arguments = ("_",)  # of the command


class TestRedisBlockingPool(WaitingPoolContract):
    library = redis
    arguments = _ARGUMENTS
    timed_out = redis.ConnectionError

    @pytest.fixture
    def open_pool(self, path):
        def opening(patient=False):
            pool = _blocking(self.library, path, patient)
            return Opened(pool, lambda: pool.get_connection(*self.arguments), pool.release, pool.disconnect)

        made = Opening(opening)
        yield made
        made.close()


class TestValkeyBlockingPool(TestRedisBlockingPool):
    library = valkey
    arguments = ("_",)  # of the command
    timed_out = valkey.ConnectionError


class TestAsyncRedisPool(AsyncPoolContract):
    library = redis.asyncio
    arguments = _ARGUMENTS
    is_timed = False
    timed_out = None

    @pytest.fixture
    def open_pool(self, path, loop):
        def opening(patient=False):
            pool = _plain(self.library, path)
            return self.opened(loop, pool, lambda: pool.get_connection(*self.arguments), pool.release, pool.disconnect)

        made = Opening(opening)
        yield made
        made.close()

    test_who_waits_is_pending = None  # nobody does: it is an error at once


class TestAsyncValkeyPool(TestAsyncRedisPool):
    library = valkey.asyncio
    arguments = ("_",)


class TestAsyncRedisBlockingPool(AsyncPoolContract):
    library = redis.asyncio
    arguments = _ARGUMENTS
    timed_out = redis.ConnectionError

    @pytest.fixture
    def open_pool(self, path, loop):
        def opening(patient=False):
            async def made():
                return _blocking(self.library, path, patient)

            pool = loop.run_until_complete(made())
            return self.opened(loop, pool, lambda: pool.get_connection(*self.arguments), pool.release, pool.disconnect)

        made = Opening(opening)
        yield made
        made.close()


class TestAsyncValkeyBlockingPool(TestAsyncRedisBlockingPool):
    library = valkey.asyncio
    arguments = ("_",)
    timed_out = valkey.ConnectionError
