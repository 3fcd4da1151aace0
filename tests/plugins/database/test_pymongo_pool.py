"""pymongo's pools, against a stand-in that speaks the protocol"""

from __future__ import annotations

import pymongo
import pytest
from pymongo.errors import WaitQueueTimeoutError

from plugins.database.fake_mongodb import fake_mongodb
from plugins.database.pool_contract import SIZE, AsyncPoolContract, Opened, Opening, WaitingPoolContract
from support.servers import LOCAL


@pytest.fixture
def server():
    with fake_mongodb() as port:
        yield port


@pytest.fixture
def name(server):
    return f"{LOCAL}:{server}"


def _options(patient):
    return {"maxPoolSize": SIZE, "waitQueueTimeoutMS": 20_000 if patient else 50, "serverSelectionTimeoutMS": 20_000}


def _pool_of(client):
    (server,) = client._topology._servers.values()
    return server.pool


class TestPymongoPool(WaitingPoolContract):
    idle_least = 0
    asked_before = 1
    timed_out = WaitQueueTimeoutError

    @pytest.fixture
    def open_pool(self, server):
        def opening(patient=False):
            client = pymongo.MongoClient(LOCAL, server, directConnection=True, **_options(patient))
            client.admin.command("ping")
            pool = _pool_of(client)
            pool.reset_without_pause()
            kept = []  # a context manager that is lost gives its connection back

            def taken():
                kept.append(pool.checkout())
                return kept[-1].__enter__()

            return Opened(pool, taken, pool.checkin, client.close)

        made = Opening(opening)
        yield made
        made.close()


class TestAsyncPymongoPool(AsyncPoolContract):
    idle_least = 0
    asked_before = 1
    timed_out = WaitQueueTimeoutError

    @pytest.fixture
    def open_pool(self, server, loop):
        def opening(patient=False):
            async def made():
                client = pymongo.AsyncMongoClient(LOCAL, server, directConnection=True, **_options(patient))
                await client.admin.command("ping")
                pool = _pool_of(client)
                await pool.reset_without_pause()
                return client, pool

            client, pool = loop.run_until_complete(made())
            kept = []

            def taken():
                kept.append(pool.checkout())
                return kept[-1].__aenter__()

            return self.opened(loop, pool, taken, pool.checkin, client.close)

        made = Opening(opening)
        yield made
        made.close()
