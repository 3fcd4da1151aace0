"""What the program can see of the bodies that run around its functions."""

from __future__ import annotations

import gc
import traceback
import warnings
import weakref

import pytest

from remora.patching import calls_cy

needs_compiled = pytest.mark.skipif(not calls_cy.COMPILED, reason="the plain twin has a Python frame of its own")


class Library:
    def warn(self):
        warnings.warn("old", DeprecationWarning, stacklevel=2)

    def fail(self):
        raise ValueError("broken")

    def stream(self, items):
        return iter(items)

    def sized(self, items):
        return Sized(items)


class Sized:
    def __init__(self, items):
        self.items = items
        self.closed = False

    def __iter__(self):
        return iter(self.items)

    def __len__(self):
        return len(self.items)

    def close(self):
        self.closed = True


@pytest.fixture
def library(house):
    yield Library()
    house.patcher.undo()


@pytest.fixture
def reads(call):
    return lambda *_, **__: call()


@needs_compiled
def test_a_warning_names_the_line_of_the_program(library, house, reads):
    house.patcher.wrap(Library, "warn", reads=reads)
    house.patcher.before(Library, "fail", lambda *_: None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        library.warn()
    assert caught[0].filename == __file__


@needs_compiled
@pytest.mark.parametrize("how", ["wrap", "before", "enrich"])
def test_a_traceback_has_no_python_frame_of_ours(library, house, reads, how):
    if how == "wrap":
        house.patcher.wrap(Library, "fail", reads=reads)
    else:
        getattr(house.patcher, how)(Library, "fail", lambda *_: None)
    with pytest.raises(ValueError, match="broken") as raised:
        library.fail()
    lines = [frame.line for frame in traceback.extract_tb(raised.value.__traceback__) if frame.filename == __file__]
    assert lines == ["library.fail()", 'raise ValueError("broken")']


def test_a_stream_ends_with_its_last_item(library, house, reads):
    house.patcher.wrap(Library, "stream", reads=reads, streams=True)
    stream = library.stream("ab")
    assert next(stream) == "a"
    assert house.ended == []
    assert list(stream) == ["b"]
    assert len(house.ended) == 1
    assert list(stream) == []
    assert len(house.ended) == 1


def test_a_stream_that_is_closed_early_ends_then_and_closes_the_original(library, house, reads):
    house.patcher.wrap(Library, "sized", reads=reads, streams=True)
    stream = library.sized([1, 2])
    assert len(stream) == 2
    assert bool(stream)
    assert next(stream) == 1
    stream.close()
    assert stream.closed
    assert len(house.ended) == 1


def test_a_stream_that_nobody_reads_ends_when_it_is_let_go(library, house, reads):
    house.patcher.wrap(Library, "stream", reads=reads, streams=True)
    watched = weakref.ref(library.stream("ab"))
    gc.collect()
    assert watched() is None
    assert len(house.ended) == 1
