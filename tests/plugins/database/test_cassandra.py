"""cassandra-driver, against a stand-in that speaks its protocol (there is no Cassandra to test with)"""

# ruff: noqa: E402 - what the driver must not find is hidden before it is imported

from __future__ import annotations

import sys
import threading

import cassandra
import pytest
from cassandra import ConsistencyLevel

# The driver imports whatever event loop is installed, and those change the process for all tests: eventlet warns of
# every fork, Twisted takes the signals.
_HIDDEN = [name for name in ("eventlet", "gevent", "twisted") if name not in sys.modules]
sys.modules.update(dict.fromkeys(_HIDDEN))  # type: ignore[arg-type]
try:
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
finally:
    for _name in _HIDDEN:
        del sys.modules[_name]
from cassandra.policies import ConstantSpeculativeExecutionPolicy, FallthroughRetryPolicy, RoundRobinPolicy
from cassandra.query import BatchStatement, SimpleStatement
from opentelemetry import trace

from plugins.database.fake_cassandra import DATACENTER, HOST_ID, fake_cassandra
from remora.conventions.cassandra_errors import redacted


@pytest.fixture
def server(spans):
    with fake_cassandra() as server:
        yield server


@pytest.fixture
def session(server):
    with _cluster(server) as cluster:
        yield cluster.connect("shop")


def _cluster(server, *points):
    profile = ExecutionProfile(
        RoundRobinPolicy(),
        FallthroughRetryPolicy(),
        consistency_level=ConsistencyLevel.LOCAL_QUORUM,
        speculative_execution_policy=ConstantSpeculativeExecutionPolicy(0.01, 1),
    )
    return Cluster(
        list(points or ("127.0.0.1",)),
        port=server.port,
        protocol_version=4,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        schema_metadata_enabled=False,
        token_metadata_enabled=False,
    )


def only(spans):
    (span,) = spans.of_kind("CLIENT")
    return span


def asked(spans):
    return list(spans.of_kind("CLIENT"))


def test_a_query_is_one_client_span_that_says_how_it_was_answered(spans, session, server):
    rows = session.execute("SELECT id, name FROM goods WHERE name = 'hunter2'").all()
    assert [tuple(row) for row in rows] == [(1, "lamp"), (2, "chair")]
    span = only(spans)
    assert span.name == "SELECT goods"
    assert span.status == "UNSET"
    assert span.attributes == {
        "db.system.name": "cassandra",
        "db.namespace": "shop",
        "db.query.text": "SELECT id, name FROM goods WHERE name = ?",
        "db.query.summary": "SELECT goods",
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "network.peer.address": "127.0.0.1",
        "network.peer.port": server.port,
        "cassandra.consistency.level": "local_quorum",
        "cassandra.page.size": 5000,
        "cassandra.query.idempotent": False,
        "cassandra.coordinator.id": str(HOST_ID),
        "cassandra.coordinator.dc": DATACENTER,
    }


def test_what_the_driver_asks_for_itself_is_no_span(spans, session):
    session.set_keyspace("depot")
    assert [span.name for span in spans.of_kind("CLIENT")] == ["USE depot"]


def test_values_that_the_driver_puts_into_a_query_are_not_shown(spans, session, server):
    session.execute("SELECT id FROM goods WHERE name = %s AND id > 4711", ("hunter2",))
    assert "hunter2" in server.requests[-1]
    span = only(spans)
    assert span.attributes["db.query.text"] == "SELECT id FROM goods WHERE name = %s AND id > 4711"
    assert "hunter2" not in repr(span)


def test_a_prepared_statement_is_prepared_and_then_executed(spans, session):
    statement = session.prepare("SELECT name FROM goods WHERE id = ?")
    session.execute(statement, (4711,))
    prepared, executed = asked(spans)
    assert prepared.attributes["db.operation.name"] == "PREPARE"
    assert executed.name == "SELECT goods"
    assert executed.attributes["db.query.text"] == "SELECT name FROM goods WHERE id = ?"
    assert "4711" not in repr(executed.attributes)


def test_a_batch_says_how_many_and_what(spans, session):
    insert = session.prepare("INSERT INTO goods (id, name) VALUES (0, ?)")
    batch = BatchStatement(consistency_level=ConsistencyLevel.ONE)
    for name in ("hunter2", "hunter3"):
        batch.add(insert, (name,))
    session.execute(batch)
    span = asked(spans)[-1]
    assert span.name == "BATCH INSERT goods"
    assert span.attributes["db.operation.batch.size"] == 2
    assert span.attributes["db.query.text"] == "INSERT INTO goods (id, name) VALUES (0, ?)"
    assert span.attributes["cassandra.consistency.level"] == "one"
    assert "cassandra.page.size" not in span.attributes


def test_a_batch_of_plain_statements_shows_no_values(spans, session):
    batch = BatchStatement()
    batch.add("INSERT INTO goods (id, name) VALUES (%s, %s)", (4711, "hunter2"))
    batch.add("DELETE FROM goods WHERE name = 'hunter2'")
    session.execute(batch)
    span = only(spans)
    assert span.attributes["db.operation.batch.size"] == 2
    text = "INSERT INTO goods (id, name) VALUES (?, ?); DELETE FROM goods WHERE name = ?"
    assert span.attributes["db.query.text"] == text
    assert "hunter2" not in repr(span)
    assert "4711" not in repr(span.attributes["db.query.text"])


def test_each_page_is_a_request(spans, session):
    rows = session.execute(SimpleStatement("SELECT name FROM goods", fetch_size=1))
    assert len(asked(spans)) == 1
    with trace.get_tracer("test").start_as_current_span("around"):
        assert [row.name for row in rows] == ["lamp", "chair"]
    first, second = asked(spans)
    assert first.attributes["cassandra.page.size"] == 1
    (around,) = spans.named("around")
    assert [span.span_id for span in spans.children_of(around)] == [second.span_id]


def test_a_refused_query_has_the_protocols_code_and_none_of_its_data(spans, session):
    with pytest.raises(cassandra.InvalidRequest, match="hunter2") as raised:
        session.execute("SELECT name FROM goods WHERE refuse = 'hunter2'")
    assert [frame.name for frame in raised.traceback] == [
        "test_a_refused_query_has_the_protocols_code_and_none_of_its_data",
        *[frame.name for frame in raised.traceback[1:]],
    ]
    assert not any("remora" in str(frame.path) for frame in raised.traceback[1:])
    span = only(spans)
    assert span.status == "ERROR"
    assert span.attributes["db.response.status_code"] == span.attributes["error.type"] == "0x2200"
    assert span.attributes["cassandra.coordinator.id"] == str(HOST_ID)
    assert [event.name for event in span.events] == ["exception"]
    assert "hunter2" not in repr((span, span.status_description, span.events))


def test_a_table_that_is_not_there_is_named(spans, session):
    with pytest.raises(cassandra.InvalidRequest):
        session.execute("SELECT name FROM no_such_table")
    assert "unconfigured table no_such_table" in only(spans).status_description


def test_a_query_that_is_none_is_a_syntax_error(spans, session):
    with pytest.raises(Exception, match="hunter2"):
        session.execute("SELEKT name FROM goods WHERE name = 'hunter2'")
    span = only(spans)
    assert span.attributes["db.response.status_code"] == "0x2000"
    assert "hunter2" not in repr((span, span.status_description, span.events))


def test_too_few_replicas_are_told(spans, session):
    with pytest.raises(cassandra.Unavailable):
        session.execute("SELECT name FROM unavailable")
    assert only(spans).attributes["error.type"] == "0x1000"


def test_a_query_without_an_answer_is_an_error_of_the_driver(spans, session):
    with pytest.raises(cassandra.OperationTimedOut):
        session.execute("SELECT name FROM hang", timeout=0.2)
    span = only(spans)
    assert span.status == "ERROR"
    assert span.attributes["error.type"] == "cassandra.OperationTimedOut"
    assert "db.response.status_code" not in span.attributes


def test_a_node_that_has_gone_is_an_error(spans, server):
    with _cluster(server) as cluster:
        session = cluster.connect()
        for pool in list(session._pools.values()):
            pool.shutdown()
        with pytest.raises(NoHostAvailable):
            session.execute("SELECT name FROM goods")
        span = only(spans)
        assert span.status == "ERROR"
        assert span.attributes["error.type"] == "cassandra.cluster.NoHostAvailable"
        assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_request_in_the_background_ends_with_its_answer(spans, session):
    told = threading.Event()
    with trace.get_tracer("test").start_as_current_span("around"):
        future = session.execute_async("SELECT name FROM goods")
        assert trace.get_current_span().get_span_context().span_id  # that around it, not the request's
        future.add_callbacks(lambda _: told.set(), lambda _: None)
        with trace.get_tracer("test").start_as_current_span("beside"):
            pass
    assert told.wait(10)
    (around,) = spans.named("around")
    assert sorted(span.name for span in spans.children_of(around)) == ["SELECT goods", "beside"]


def test_speculative_executions_lie_within_the_one_span(spans, server):
    with _cluster(server, "127.0.0.1", "localhost") as cluster:
        session = cluster.connect()
        statement = SimpleStatement("SELECT name FROM hang", is_idempotent=True)
        with pytest.raises(cassandra.OperationTimedOut):
            session.execute(statement, timeout=0.5)
    span = only(spans)
    assert span.attributes["cassandra.speculative_execution.count"] == 1
    assert span.attributes["cassandra.query.idempotent"] is True
    assert "server.address" not in span.attributes  # which of the two it would have been is not known


def test_of_several_nodes_the_one_that_answered_is_the_server(spans, server):
    with _cluster(server, "127.0.0.1", "localhost") as cluster:
        cluster.connect().execute("SELECT name FROM goods")
    span = only(spans)
    assert (span.attributes["server.address"], span.attributes["server.port"]) == ("127.0.0.1", server.port)


def test_a_requests_duration_is_measured_with_what_its_span_says(spans, session):
    session.execute("SELECT name FROM goods")
    span = only(spans)
    points = spans.metrics.named("db.client.operation.duration")
    (point,) = [point for point in points if point.attributes["db.query.summary"] == "SELECT goods"]
    assert point.sum == pytest.approx((span.end_ns - span.start_ns) / 1e9)
    assert point.attributes.items() <= span.attributes.items()
    assert not any(key.startswith("cassandra.") for key in point.attributes)
    assert "db.query.text" not in point.attributes


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            'Error from server: code=2200 [Invalid query] message="Invalid STRING constant (hunter2) for \\"id\\""',
            'Error from server: code=2200 [Invalid query] message="REDACTED"',
        ),
        (
            "{<Host: 127.0.0.1:9042>: <code=2000 [Syntax error in CQL query] message=\"at input 'hunter2' ([x])\">}",
            '{<Host: 127.0.0.1:9042>: <code=2000 [Syntax error in CQL query] message="REDACTED">}',
        ),
        (
            'Error from server: code=1200 [Coordinator node timed out] message="Operation timed out"',
            'Error from server: code=1200 [Coordinator node timed out] message="Operation timed out"',
        ),
        (
            'code=2200 [Invalid query] message="Invalid STRING constant ("hunter2") for "id" of "hunter3""',
            'code=2200 [Invalid query] message="REDACTED"',
        ),
        (
            'code=2200 [Invalid query] message="hunter2"\n\nDuring handling of it\n  File "shop.py"',
            'code=2200 [Invalid query] message="REDACTED"\n\nDuring handling of it\n  File "shop.py"',
        ),
        ('code=2200 [Invalid query] message="cut "off", hunter2', 'code=2200 [Invalid query] message="REDACTED'),
        ('code=2200 [Invalid query] message="cut off, hunter2', 'code=2200 [Invalid query] message="REDACTED'),
    ],
)
def test_what_the_server_quotes_of_a_query_is_redacted(message, expected):
    assert redacted(message) == expected
