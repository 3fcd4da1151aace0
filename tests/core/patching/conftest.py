"""A patcher over an engine of its own, and the plainest record of a call."""

from __future__ import annotations

import asyncio

import pytest

from remora.conventions.call import Call
from remora.operation.propagation import Propagation
from remora.operation.running_cy import Operations
from remora.patching.patcher import Patcher
from remora.telemetry.scope import Scope
from remora.telemetry.spans_cy import Engine


class PlainCall(Call):
    """A call with a name; fails when the program's function raised."""

    family = 1
    kind = 2

    def __init__(self, name="call", **start):
        self.carrier = None
        self._name = name
        self._start = start
        self.result = None

    def name(self):
        return self._name

    def start(self):
        return dict(self._start)

    def end(self, exception):
        found = {} if self.result is None else {"result": self.result}
        if isinstance(exception, asyncio.CancelledError):  # the conventions: not an error
            return found
        return found if exception is None else {**found, "error.type": type(exception).__name__}

    def description(self, exception):
        return str(exception)

    def late_name(self):
        return None

    def whole(self, result):
        return False


class House:
    """Patcher, engine, ended spans, and the faults that were counted."""

    def __init__(self):
        self.ended = []
        self.faults = []
        self.engine = Engine()
        self.engine.deliver = self.ended.append
        self.patcher = self.another()

    def another(self):
        operations = Operations(
            self.engine,
            Scope("test"),
            Propagation(("tracecontext", "baggage")),
            lambda where, error: self.faults.append((where, repr(error))),
        )
        return Patcher(operations)

    @property
    def names(self):
        return [span.span_name for span in self.ended]


@pytest.fixture
def house():
    return House()


@pytest.fixture
def call():
    return PlainCall
