"""pymongo, and motor upon it, against a stand-in that speaks MongoDB's protocol (there is no MongoDB to test with)"""

from __future__ import annotations

import asyncio

import motor.motor_asyncio
import pymongo
import pymongo.errors
import pytest
from opentelemetry import trace

from plugins.database.fake_mongodb import fake_mongodb


@pytest.fixture(scope="module")
def mongodb_port():
    with fake_mongodb() as port:
        yield port


@pytest.fixture
def goods(mongodb_port, spans):
    with pymongo.MongoClient("127.0.0.1", mongodb_port, retryWrites=False) as client:
        yield client.shop.goods


def operations(spans):
    return [span.attributes["db.operation.name"] for span in spans]


def test_a_command_is_one_client_span_that_says_where_it_went(spans, goods, mongodb_port):
    goods.insert_one({"_id": "hunter2"})
    (span,) = spans
    assert span.name == "insert goods"
    assert (span.kind, span.status) == ("CLIENT", "UNSET")
    assert span.attributes == {
        "db.system.name": "mongodb",
        "db.namespace": "shop",
        "db.collection.name": "goods",
        "db.operation.name": "insert",
        "server.address": "127.0.0.1",
        "server.port": mongodb_port,
    }


def test_each_round_trip_of_a_cursor_is_a_span(spans, goods):
    assert [found["_id"] for found in goods.find({"name": "hunter2"}, batch_size=1)] == [1, 2]
    assert [span.name for span in spans] == ["find goods", "getMore goods"]
    assert "hunter2" not in repr(list(spans))


def test_aggregations_updates_and_deletes_are_traced(spans, goods):
    assert list(goods.aggregate([{"$group": {"_id": None, "sum": {"$sum": "$hunter2"}}}])) == [{"_id": None, "sum": 3}]
    goods.update_one({"name": "hunter2"}, {"$set": {"number": 4711}})
    goods.delete_many({"name": "hunter2"})
    assert operations(spans) == ["aggregate", "update", "delete"]
    assert "hunter2" not in repr(list(spans))


def test_a_command_without_a_collection_is_named_by_its_database(spans, goods):
    goods.database.command("ping")
    (span,) = spans
    assert span.name == "ping shop"
    assert "db.collection.name" not in span.attributes


def test_the_name_of_a_user_is_no_collection(spans, goods):
    with pytest.raises(pymongo.errors.OperationFailure):
        goods.database.command("createUser", "alice", pwd="hunter2", roles=[])
    (span,) = spans
    assert span.name == "createUser shop"
    assert "alice" not in repr(span)
    assert "hunter2" not in repr((span, span.status_description, span.events))


def test_many_documents_are_a_batch(spans, goods):
    goods.insert_many([{"name": "hunter2"} for _ in range(3)])
    goods.bulk_write([pymongo.InsertOne({}), pymongo.InsertOne({}), pymongo.DeleteOne({})])
    assert operations(spans) == ["BATCH insert", "BATCH insert", "delete"]
    assert [span.attributes.get("db.operation.batch.size") for span in spans] == [3, 2, None]


def test_a_refused_command_has_the_servers_code_and_none_of_its_data(spans, goods):
    with pytest.raises(pymongo.errors.OperationFailure, match="hunter2"):
        list(goods.find({"$nonsense": "hunter2"}))
    (span,) = spans
    assert span.status == "ERROR"
    assert span.attributes["db.response.status_code"] == span.attributes["error.type"] == "2"
    assert "unknown operator" in (span.status_description or "")
    assert [event.name for event in span.events] == ["exception"]
    assert "hunter2" not in repr((span, span.status_description, span.events))


def test_a_write_error_in_a_good_answer_is_a_failure(spans, goods):
    with pytest.raises(pymongo.errors.DuplicateKeyError):
        goods.insert_one({"_id": "twice"})
    with pytest.raises(pymongo.errors.BulkWriteError):
        goods.insert_many([{"_id": "twice"}, {"_id": 2}])
    assert [span.status for span in spans] == ["ERROR", "ERROR"]
    assert [span.attributes["db.response.status_code"] for span in spans] == ["11000", "11000"]
    assert "hunter2" not in repr([(span, span.status_description, span.events) for span in spans])


def test_a_write_without_an_answer_is_traced(spans, goods):
    goods.with_options(write_concern=pymongo.WriteConcern(w=0)).insert_one({"name": "hunter2"})
    assert operations(spans) == ["insert"]


def test_a_command_is_a_child_of_what_is_current_and_the_drivers_own_commands_are_not_told(spans, goods):
    with trace.get_tracer("test").start_as_current_span("around"):
        goods.find_one({"name": "hunter2"})
    (around,) = spans.named("around")
    assert [span.name for span in spans.children_of(around)] == ["find goods"]
    assert [span.name for span in spans] == ["find goods", "around"]  # no hello, no heartbeat


def test_a_commands_duration_is_measured(spans, goods):
    goods.find_one({})
    (span,) = spans
    (point,) = spans.metrics.named("db.client.operation.duration")
    assert point.attributes == span.attributes
    assert point.sum == pytest.approx((span.end_ns - span.start_ns) / 1e9)


def test_the_asyncio_client_is_traced_alike(spans, mongodb_port):
    async def main():
        async with pymongo.AsyncMongoClient("127.0.0.1", mongodb_port) as client:
            goods = client.shop.goods
            with trace.get_tracer("test").start_as_current_span("around"):
                await asyncio.gather(goods.insert_one({"name": "hunter2"}), goods.find_one({"name": "hunter2"}))
                await goods.insert_many([{}, {}])
            with pytest.raises(pymongo.errors.OperationFailure):
                await goods.find_one({"$nonsense": "hunter2"})

    asyncio.run(main())
    (around,) = spans.named("around")
    assert sorted(operations(spans.children_of(around))) == ["BATCH insert", "find", "insert"]
    assert [span.attributes["error.type"] for span in spans if span.status == "ERROR"] == ["2"]
    assert "hunter2" not in repr(list(spans))


def test_motor_is_traced_by_the_pymongo_below_it(spans, mongodb_port):

    async def main():
        client = motor.motor_asyncio.AsyncIOMotorClient("127.0.0.1", mongodb_port)
        with trace.get_tracer("test").start_as_current_span("around"):
            await client.shop.goods.insert_one({"name": "hunter2"})
        client.close()

    asyncio.run(main())
    (around,) = spans.named("around")
    assert operations(spans.children_of(around)) == ["insert"]
