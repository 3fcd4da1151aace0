"""What every SQL driver's instrumentation must do; a driver's test class only says how to connect."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

if TYPE_CHECKING:
    from remora.testing import CollectedSpan, Spans


class SqlDriverContract:
    """Subclasses give ``connection`` as a fixture (autocommitting), ``system`` and the driver's parameter mark."""

    system = ""
    mark = "%s"
    marks = ""  # of two parameters, where they are not the same
    exceptions = ""  # where the driver's own are defined
    expected: dict[str, Any] = {}  # noqa: RUF012 - overridden, never changed

    @staticmethod
    def only(spans: Spans) -> CollectedSpan:
        (span,) = spans.of_kind("CLIENT")
        return span

    def test_a_query_is_one_client_span_named_by_its_summary(self, spans: Spans, connection: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
        span = self.only(spans)
        assert span.name == "SELECT"
        assert span.status == "UNSET"
        assert span.attributes["db.system.name"] == self.system
        assert span.attributes["db.query.summary"] == "SELECT"
        assert self.where(connection).items() <= span.attributes.items()

    def where(self, connection: Any) -> dict[str, Any]:
        return self.expected

    def test_operation_and_table_make_the_name(self, spans: Spans, connection: Any, table: str) -> None:
        connection.cursor().execute(f"SELECT name FROM {table} WHERE id = {self.mark}", (1,))
        span = self.only(spans)
        assert span.name == f"SELECT {table}"
        assert span.attributes["db.query.text"] == f"SELECT name FROM {table} WHERE id = {self.mark}"

    def test_literals_never_leave_the_process(self, spans: Spans, connection: Any, table: str) -> None:
        connection.cursor().execute(f"INSERT INTO {table} (id, name) VALUES (4711, 'hunter2')")
        connection.cursor().execute(f"SELECT id FROM {table} WHERE name = 'hunter2' OR id IN (4711, 4712)")
        for span in spans:
            assert "hunter2" not in repr(span.attributes)
            assert "471" not in repr(span.attributes["db.query.text"])

    def test_bind_values_are_not_recorded(self, spans: Spans, connection: Any, table: str) -> None:
        connection.cursor().execute(f"SELECT id FROM {table} WHERE name = {self.mark}", ("hunter2",))
        assert "hunter2" not in repr(spans[0].attributes)

    def test_a_failed_query_is_an_error_and_the_drivers_exception_is_kept(self, spans: Spans, connection: Any) -> None:
        with pytest.raises(Exception, match=r".") as raised:
            connection.cursor().execute("SELECT secret FROM no_such_table WHERE x = 'hunter2'")
        span = self.only(spans)
        assert span.status == "ERROR"
        assert span.attributes["error.type"]
        if self.system != "sqlite" or sys.version_info >= (3, 11):  # before, sqlite3 does not tell
            assert span.attributes["db.response.status_code"]
        assert type(raised.value).__module__.startswith(self.exceptions)
        assert self.exceptions
        assert "hunter2" not in repr(span.attributes) + repr(span.status_description)
        assert [event.name for event in span.events] == ["exception"]

    def test_executemany_is_a_batch(self, spans: Spans, connection: Any, table: str) -> None:
        connection.cursor().executemany(
            f"INSERT INTO {table} (id, name) VALUES ({self.marks or f'{self.mark}, {self.mark}'})",
            [(10, "a"), (11, "b"), (12, "c")],
        )
        span = self.only(spans)
        assert span.attributes["db.operation.batch.size"] == 3
        assert span.name.startswith("BATCH ")

    def test_a_query_is_a_child_of_what_is_current(self, spans: Spans, connection: Any) -> None:
        with trace.get_tracer("test").start_as_current_span("around"):
            connection.cursor().execute("SELECT 1")
        (around,) = spans.named("around")
        assert [span.name for span in spans.children_of(around)] == ["SELECT"]

    def test_the_start_attributes_are_there_for_the_sampler(self, spans: Spans, connection: Any, table: str) -> None:
        from remora import bootstrap

        engine = bootstrap.agent().assembly.engine  # type: ignore[union-attr]
        seen: list[set[str]] = []

        def sampler(span: object, frame: object, attributes: dict[str, object], links: object) -> tuple[object, ...]:
            seen.append(set(attributes))
            return True, True, attributes, ""

        before = engine.root_mode, engine.sampler
        engine.root_mode, engine.sampler = 3, sampler
        try:
            connection.cursor().execute(f"SELECT name FROM {table}")
        finally:
            engine.root_mode, engine.sampler = before
        assert {"db.system.name", "db.query.text", "db.query.summary"} <= seen[0]

    def test_wrong_arguments_give_the_drivers_own_error(self, spans: Spans, connection: Any) -> None:
        with pytest.raises(TypeError):
            connection.cursor().execute()
        assert all(span.status == "ERROR" for span in spans)

    def test_two_connections_are_traced_alike(self, spans: Spans, connection: Any, another: Any) -> None:
        for one in (connection, another):
            one.cursor().execute("SELECT 1")
        assert [span.name for span in spans] == ["SELECT", "SELECT"]

    def test_a_querys_duration_is_measured_with_what_its_span_says(
        self, spans: Spans, connection: Any, table: str
    ) -> None:
        connection.cursor().execute(f"SELECT name FROM {table} WHERE id = {self.mark}", (1,))
        span = self.only(spans)
        points = spans.metrics.named("db.client.operation.duration")
        (point,) = [point for point in points if point.attributes["db.query.summary"] == span.name]
        left_out = {"db.query.text", "db.operation.batch.size"}
        assert point.attributes == {key: value for key, value in span.attributes.items() if key not in left_out}
        assert point.attributes["db.query.summary"] == f"SELECT {table}"
        assert (point.unit, point.count) == ("s", 1)
        assert point.sum == pytest.approx((span.end_ns - span.start_ns) / 1e9)
        assert point.boundaries == (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)
