"""Functions that fetch, and callbacks: what is told of them, and that the program gets what it would get."""

from __future__ import annotations

import asyncio

import pytest

from remora.telemetry.spans_cy import current


class Client:
    """A library's: what lies below ``fetch`` is ``ask``."""

    def fetch(self, *names, fails=False):
        if fails:
            raise KeyError("gone")
        return self.ask(*names)

    def ask(self, *names):
        return list(names)

    def fetch_later(self, *names, fails=False):
        if fails:
            raise TypeError("refused at once")

        async def later():
            await asyncio.sleep(0)
            return self.ask(*names)

        return later()


def fetching(house, call, function, **options):
    """The function, told by what it got."""

    def reads(result, exception, *arguments, **named):
        return call(f"fetch {result} {arguments[1:]}") if result or exception else None

    return house.patcher.received(function, reads=reads, **options)


def test_a_fetch_is_told_when_it_is_over_and_only_if_it_got_something(house, call):
    class Patched(Client):
        fetch = fetching(house, call, Client.fetch)

    assert Patched().fetch() == []
    assert Patched().fetch("a") == ["a"]
    with pytest.raises(KeyError):
        Patched().fetch("b", fails=True)
    assert house.names == ["fetch ['a'] ('a',)", "fetch None ('b',)"]
    assert house.ended[1].attribute_values == {"error.type": "KeyError"}


def test_more_may_be_asked_for_than_the_program_did(house, call):
    class Patched(Client):
        fetch = fetching(house, call, Client.fetch, asks=lambda args, kwargs: ((*args, "more"), kwargs))

    assert Patched().fetch("a") == ["a", "more"]
    assert house.names == ["fetch ['a', 'more'] ('a',)"]


def test_what_fails_to_ask_for_more_leaves_the_programs_own(house, call):
    class Patched(Client):
        fetch = fetching(house, call, Client.fetch, asks=lambda args, kwargs: args[7])

    assert Patched().fetch("a") == ["a"]
    assert [where for where, _ in house.faults] == ["asks"]


@pytest.mark.parametrize("covers", [0, 1])
def test_calls_of_the_families_it_covers_are_a_part_of_it(house, call, covers):
    class Patched(Client):
        fetch = fetching(house, call, Client.fetch, covers=covers)
        ask = house.patcher.traced(Client.ask, reads=lambda *_, **__: call("ask"))

    before = current()
    assert Patched().fetch("a") == ["a"]
    assert current() is before
    assert house.names == (["ask"] if not covers else []) + ["fetch ['a'] ('a',)"]
    Patched().ask("a")
    assert house.names[-1] == "ask"


def test_a_plain_function_that_returns_an_awaitable_refuses_at_once_and_is_told_when_that_is_over(house, call):
    class Patched(Client):
        fetch_later = fetching(house, call, Client.fetch_later, covers=1, awaited=True)
        ask = house.patcher.traced(Client.ask, reads=lambda *_, **__: call("ask"))

    with pytest.raises(TypeError, match="refused at once"):
        Patched().fetch_later(fails=True)

    async def program():
        return await Patched().fetch_later("a")

    assert asyncio.run(program()) == ["a"]
    assert house.names == ["fetch ['a'] ('a',)"]


def test_a_callback_is_described_by_what_it_is_called_with(house, call):
    class Worker:
        def work(self, body):
            return self, body

    worker = Worker()
    method = house.patcher.callback(worker.work, reads=lambda body: call(f"work {body}"))
    plain = house.patcher.callback(lambda body: body, reads=lambda body: call(f"plain {body}"))
    got = []
    builtin = house.patcher.callback(got.append, reads=lambda body: call(f"append {body}"))
    assert (method("a"), plain("b"), builtin("c")) == ((worker, "a"), "b", None)
    assert got == ["c"]
    assert house.names == ["work a", "plain b", "append c"]
    assert house.faults == []
