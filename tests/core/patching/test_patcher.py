"""What a patch does to a library, and what the program can notice of it: nothing."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import sys
import threading
import types

import pytest

from remora.telemetry.spans_cy import current, root


def library():
    """A fresh little library for each test."""

    class Client:
        """Talks."""

        def send(self, what, *, times=1):
            """Sends."""
            return what * times

        def fail(self):
            raise KeyError("gone")

        async def send_async(self, what):
            await asyncio.sleep(0)
            return what

        def items(self, count):
            got = 0
            for number in range(count):
                got = (yield number) or got
            return got

        async def items_async(self, count):
            for number in range(count):
                await asyncio.sleep(0)
                yield number

        @staticmethod
        def static(what):
            return what

        @classmethod
        def made(cls, what):
            return cls, what

    module = types.ModuleType("library")
    module.Client = Client
    module.function = lambda what: what
    return module


def reading(call):
    return lambda *args, **kwargs: call(arguments=repr(args[1:]) + repr(kwargs))


def test_a_method_call_becomes_a_span_and_its_result_is_the_librarys(house, call):
    module = library()

    def ends(record, result):
        record.result = result

    house.patcher.wrap(module.Client, "send", reads=lambda client, what, times=1: call(what), ends=ends)
    assert module.Client().send("ab", times=2) == "abab"
    assert house.names == ["ab"]
    assert house.ended[0].attribute_values == {"result": "abab"}


def test_functions_static_and_class_methods_keep_their_nature(house, call):
    module = library()
    house.patcher.wrap(module, "function", reads=call)
    house.patcher.wrap(module.Client, "static", reads=call)
    house.patcher.wrap(module.Client, "made", reads=lambda cls, what: call(what))
    assert module.function("f") == "f"
    assert module.Client.static("s") == module.Client().static("s") == "s"
    assert module.Client.made("c") == (module.Client, "c")
    assert house.names == ["f", "s", "s", "c"]


def test_what_is_silenced_records_nothing_but_below_a_span(house, call):
    module = library()
    house.patcher.wrap(module, "function", reads=call)
    module.Client.send = lambda self, what: module.function(what)
    house.patcher.silence(module.Client, "send")
    assert module.Client().send("poll") == "poll"
    assert (house.names, current() is root()) == ([], True)

    class Outer(call):
        family = 2

    outer = house.patcher.traced(module.Client().send, reads=lambda *_: Outer("outer"))
    assert outer("asked") == "asked"
    assert house.names == ["asked", "outer"]


def test_signature_name_doc_and_nature_stay_visible(house, call):
    module = library()
    before = inspect.signature(module.Client.send)
    for name in ("send", "send_async", "items", "items_async"):
        house.patcher.wrap(module.Client, name, reads=reading(call))
    assert inspect.signature(module.Client.send) == before
    assert (module.Client.send.__name__, module.Client.send.__doc__) == ("send", "Sends.")
    assert inspect.iscoroutinefunction(module.Client.send_async)
    assert inspect.isgeneratorfunction(module.Client.items)
    assert inspect.isasyncgenfunction(module.Client.items_async)
    assert inspect.isfunction(module.Client.send)


def test_the_librarys_exception_reaches_the_program_as_the_same_object(house, call):
    module = library()
    gone = KeyError("gone")

    def fail(self):
        raise gone

    module.Client.fail = fail
    house.patcher.wrap(module.Client, "fail", reads=reading(call))
    with pytest.raises(KeyError) as caught:
        module.Client().fail()
    assert caught.value is gone
    assert house.ended[0].status_code == 2
    assert house.ended[0].attribute_values["error.type"] == "KeyError"
    assert house.ended[0].event_records[0][0] == "exception"
    assert current() is root()


def test_wrong_arguments_give_the_librarys_own_type_error(house, call):
    module = library()
    house.patcher.wrap(module.Client, "send", reads=lambda client, what, times=1: call(what))
    with pytest.raises(TypeError, match="unexpected keyword argument 'wrong'"):
        module.Client().send("a", wrong=1)
    assert house.ended == []


def test_a_coroutine_function_called_without_its_arguments_fails_at_once(house, call):
    module = library()
    house.patcher.wrap(module.Client, "send_async", reads=lambda *_: call())
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        module.Client().send_async()
    assert house.ended == []


def test_a_coroutine_function_without_arguments_is_traced(house, call):
    async def pause():
        await asyncio.sleep(0)
        return current() is root()

    module = library()
    module.pause = pause
    house.patcher.wrap(module, "pause", reads=call)
    assert asyncio.run(module.pause()) is False
    assert house.names == ["call"]


@pytest.mark.parametrize("where", ["reads", "ends", "name", "start", "end"])
def test_a_describer_that_raises_costs_the_span_but_never_the_call(house, call, where):
    module = library()

    def broken(*_, **__):
        raise RuntimeError(where)

    class Broken(call):
        pass

    if where in ("name", "start", "end"):
        setattr(Broken, where, broken)
    house.patcher.wrap(
        module.Client,
        "send",
        reads=broken if where == "reads" else lambda *_: Broken("x"),
        ends=broken if where == "ends" else None,
    )
    assert module.Client().send("a") == "a"
    assert len(house.faults) == 1
    assert where in house.faults[0][1]
    assert current() is root()


@pytest.mark.parametrize("odd", [{"a": 1}, 5, "text", object()])
def test_a_describer_that_returns_something_else_than_a_record_costs_the_span_only(house, odd):
    module = library()
    house.patcher.wrap(module.Client, "send", reads=lambda *_: odd)
    assert module.Client().send("a") == "a"
    assert len(house.faults) == 1


def test_a_call_the_describer_declines_is_left_alone(house):
    module = library()
    house.patcher.wrap(module.Client, "send", reads=lambda *_: None)
    assert module.Client().send("a") == "a"
    assert house.ended == []
    assert house.faults == []


def test_a_call_inside_a_call_of_the_same_convention_is_not_doubled(house, call):
    module = library()
    module.outer = lambda: module.Client().send("inner")
    house.patcher.wrap(module, "outer", reads=lambda: call("outer"))
    house.another().wrap(module.Client, "send", reads=lambda client, what: call(what))
    assert module.outer() == "inner"
    assert house.names == ["outer"]
    module.Client().send("alone")
    assert house.names == ["outer", "alone"]


def test_a_call_of_another_convention_is_a_child(house, call):
    class Other(call):
        family = 4

    module = library()
    module.outer = lambda: module.Client().send("inner")
    house.patcher.wrap(module, "outer", reads=lambda: call("outer"))
    house.patcher.wrap(module.Client, "send", reads=lambda client, what: Other(what))
    module.outer()
    inner, outer = house.ended
    assert inner.parent_id == outer.span_id


def test_a_coroutine_is_measured_until_it_is_done(house, call):
    module = library()
    house.patcher.wrap(module.Client, "send_async", reads=reading(call))

    async def main():
        coroutine = module.Client().send_async("a")
        assert house.engine.started == 0
        assert inspect.iscoroutine(coroutine)
        return await coroutine

    assert asyncio.run(main()) == "a"
    assert house.names == ["call"]


def test_concurrent_coroutines_do_not_become_each_others_parents(house, call):
    module = library()
    house.patcher.wrap(module.Client, "send_async", reads=reading(call))

    async def main():
        await asyncio.gather(*(module.Client().send_async(number) for number in range(20)))
        assert current() is root()

    asyncio.run(main())
    assert len(house.ended) == 20
    assert all(span.parent_id == 0 for span in house.ended)


def test_a_cancelled_coroutine_ends_its_span(house, call):
    module = library()

    async def forever(self):
        await asyncio.Event().wait()

    module.Client.forever = forever
    house.patcher.wrap(module.Client, "forever", reads=reading(call))

    async def main():
        task = asyncio.ensure_future(module.Client().forever())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert house.names == ["call"]


def test_a_generator_is_measured_to_its_end_and_its_protocol_is_kept(house, call):
    module = library()
    house.patcher.wrap(module.Client, "items", reads=reading(call))

    def everything():
        return (yield from module.Client().items(3))

    assert list(everything()) == [0, 1, 2]
    generator = module.Client().items(2)
    assert next(generator) == 0
    assert generator.send("sent") == 1
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value == "sent"
    assert house.names == ["call", "call"]
    assert house.faults == []


def test_between_two_items_the_callers_context_is_untouched(house, call):
    module = library()
    seen = []

    def watched(self):
        seen.append(current() is root())
        yield 1

    module.Client.watched = watched
    house.patcher.wrap(module.Client, "watched", reads=reading(call))
    for _ in module.Client().watched():
        seen.append(current() is root())  # noqa: PERF401 - between two items, not behind them
    assert seen == [False, True]


def test_an_exception_thrown_into_a_generator_arrives_there(house, call):
    module = library()

    def catching(self):
        try:
            yield 1
        except ValueError:
            yield "caught"

    module.Client.catching = catching
    house.patcher.wrap(module.Client, "catching", reads=reading(call))
    generator = module.Client().catching()
    next(generator)
    assert generator.throw(ValueError()) == "caught"
    assert list(generator) == []
    assert house.ended[0].status_code == 0


def test_an_abandoned_generator_ends_its_span_without_an_error(house, call):
    module = library()
    house.patcher.wrap(module.Client, "items", reads=reading(call))
    generator = module.Client().items(3)
    next(generator)
    del generator
    gc.collect()
    assert house.names == ["call"]
    assert house.ended[0].status_code == 0


def test_a_generator_closed_in_another_thread_leaves_no_context_anywhere(house, call):
    module = library()
    house.patcher.wrap(module.Client, "items", reads=reading(call))
    generator = module.Client().items(3)
    next(generator)
    left = []
    thread = threading.Thread(target=lambda: (generator.close(), left.append(current() is root())))
    thread.start()
    thread.join()
    assert left == [True]
    assert current() is root()
    assert house.names == ["call"]


def test_an_async_generator_is_measured_to_its_end(house, call):
    module = library()
    house.patcher.wrap(module.Client, "items_async", reads=reading(call))

    async def main():
        found = []
        async for item in module.Client().items_async(3):
            found.append((item, current() is root()))  # noqa: PERF401 - between two items
        return found

    assert asyncio.run(main()) == [(0, True), (1, True), (2, True)]
    assert house.names == ["call"]


def test_an_async_generator_left_early_ends_its_span_silently(house, call, caplog):
    module = library()
    house.patcher.wrap(module.Client, "items_async", reads=reading(call))

    async def main():
        async for _ in module.Client().items_async(3):
            break

    asyncio.run(main())
    assert house.names == ["call"]
    assert house.ended[0].status_code == 0
    assert not caplog.records


@pytest.mark.parametrize("result", [[b"a"], (b"a",)])
def test_a_stream_that_is_already_whole_is_handed_on_untouched(house, call, result):
    module = library()
    module.application = lambda: result
    house.patcher.wrap(module, "application", reads=call, streams=True)
    assert module.application() is result
    assert house.names == ["call"]


def test_a_stream_ends_its_call_with_the_last_item(house, call):
    module = library()
    seen = []

    def application():
        def body():
            seen.append(current() is root())
            yield b"a"
            yield b"b"

        return body()

    module.application = application
    house.patcher.wrap(module, "application", reads=call, streams=True)
    result = module.application()
    assert house.ended == []
    assert list(result) == [b"a", b"b"]
    assert house.names == ["call"]
    assert seen == [False]
    assert current() is root()


def test_a_stream_that_is_closed_early_closes_the_librarys(house, call):
    closed = []

    class Body:
        def __iter__(self):
            return iter([b"a", b"b"])

        def close(self):
            closed.append(True)

    module = library()
    module.application = Body
    house.patcher.wrap(module, "application", reads=call, streams=True)
    result = module.application()
    next(iter(result))
    result.close()
    assert closed == [True]
    assert house.names == ["call"]


def test_a_stream_closed_after_its_last_item_leaves_nothing_current(house, call):
    module = library()

    class Body:
        def __iter__(self):
            return iter([b"a"])

        def close(self):
            pass

    module.application = Body
    house.patcher.wrap(module, "application", reads=call, streams=True)
    for _ in range(3):
        result = module.application()
        assert list(result) == [b"a"]
        result.close()
        assert current() is root()
    assert house.names == ["call"] * 3


def test_a_stream_has_a_length_exactly_if_the_librarys_has_one(house, call):
    # waitress: hasattr(result, "__len__"), then len(result)
    module = library()
    module.sized = lambda: {b"a": 1}.keys()
    module.unsized = lambda: iter([b"a"])
    house.patcher.wrap(module, "sized", reads=call, streams=True)
    house.patcher.wrap(module, "unsized", reads=call, streams=True)
    assert len(module.sized()) == 1
    assert not hasattr(module.unsized(), "__len__")
    assert list(module.sized()) == [b"a"]
    house.patcher.undo()


def test_what_a_function_inside_a_server_call_returned_can_be_learned(house, call):
    class Serving(call):
        kind = 1
        route = None

    served = Serving()
    module = library()
    router = type("Router", (), {"match": lambda self, path: f"template of {path}"})

    def learned(call, result, router, path):
        call.route = result
        raise RuntimeError

    house.patcher.learn(router, "match", learned)
    module.application = lambda: router().match("/a")
    assert module.application() == "template of /a"
    assert house.faults == []
    house.patcher.wrap(module, "application", reads=lambda: served)
    assert module.application() == "template of /a"
    assert served.route == "template of /a"
    assert [where for where, _ in house.faults] == ["learn"]


def test_before_sees_the_arguments_and_cannot_break_the_call(house):
    module = library()
    seen = []

    def sees(client, what, **kwargs):
        seen.append((what, kwargs))
        raise RuntimeError

    house.patcher.before(module.Client, "send", sees)
    assert module.Client().send("a", times=2) == "aa"
    assert seen == [("a", {"times": 2})]
    assert len(house.faults) == 1


def test_intercept_changes_the_arguments(house):
    module = library()
    house.patcher.intercept(module.Client, "send", lambda args, kwargs: (args, {**kwargs, "times": 3}))
    assert module.Client().send("a") == "aaa"


def test_a_function_carried_to_a_thread_runs_with_the_frame_it_was_given(house, call):
    module = library()
    found = []
    module.start = lambda work: threading.Thread(target=house.patcher.carried(work))
    module.outer = lambda: module.start(lambda: found.append(current().span))
    house.patcher.wrap(module, "outer", reads=lambda: call("outer"))
    thread = module.outer()
    thread.start()
    thread.join()
    assert found[0].span_name == "outer"


def test_undo_puts_everything_back(house, call):
    module = library()
    before = dict(vars(module.Client)), module.function

    class Sub(module.Client):
        pass

    house.patcher.wrap(module.Client, "send", reads=reading(call))
    house.patcher.wrap(Sub, "send", reads=reading(call))
    house.patcher.before(module.Client, "made", lambda *_: None)
    house.patcher.intercept(module, "function", lambda args, kwargs: (args, kwargs))
    house.patcher.undo()
    assert (dict(vars(module.Client)), module.function) == before
    assert "send" not in vars(Sub)


def test_undo_leaves_what_the_program_replaced_since(house, call):
    module = library()
    house.patcher.wrap(module, "function", reads=call)
    module.function = len
    house.patcher.undo()
    assert module.function is len


def test_a_reference_taken_before_undo_goes_on_untraced(house, call):
    module = library()
    house.patcher.wrap(module, "function", reads=call)
    kept = module.function
    house.patcher.undo()
    assert kept("a") == "a"
    assert house.ended == []


def test_patching_twice_traces_once(house, call):
    module = library()
    for _ in range(2):
        house.patcher.wrap(module, "function", reads=call)
    module.function("a")
    assert house.names == ["a"]


def test_the_same_patch_from_two_places_is_no_fault(house, call):
    module = library()
    for _ in range(2):
        house.patcher.wrap(module, "function", reads=functools.partial(call), ends=lambda *_: None)
    for _ in range(2):
        house.patcher.before(module.Client, "send", lambda *_: None)
    module.function("a")
    assert house.names == ["a"]
    assert house.faults == []


def test_two_different_patches_of_one_function_are_a_fault_and_the_first_one_counts(house, call):
    module = library()
    house.patcher.wrap(module, "function", reads=call)
    house.patcher.before(module, "function", lambda *_: None)
    module.function("a")
    assert house.names == ["a"]
    ((where, told),) = house.faults
    assert where == "patch"
    assert f"{module.__name__}.function is patched by this plugin already" in told


def test_around_a_method_the_instance_is_told_even_if_it_is_called_by_the_name_of_its_class(house):
    class Own(library().Client):
        def send(self, what, *, times=1):
            return super().send(what, times=times) + base.send(self, what)

    base = Own.__mro__[1]
    seen = []

    def body(original, instance, args, kwargs):
        seen.append(instance)
        return original(*args, **kwargs)

    house.patcher.around_method(base, "send", body)
    client = Own()
    assert client.send("a", times=2) == "aaa"
    assert seen == [client, client]


def send(what):
    return what


class Sender:
    def send(self, what):
        return what


def test_a_patched_function_is_pickled_and_copied_like_a_plain_one(house, call):
    import copy
    import functools
    import pickle

    module = sys.modules[__name__]
    house.patcher.wrap(module, "send", reads=call)
    house.patcher.wrap(Sender, "send", reads=lambda sender, what: call(what))
    try:
        for patched in (module.send, functools.partial(module.send), Sender.send):
            assert copy.deepcopy(patched) is not None
            pickle.loads(pickle.dumps(patched))
        assert pickle.loads(pickle.dumps(module.send)) is module.send is copy.copy(module.send)
        assert pickle.loads(pickle.dumps(Sender().send))("a") == "a"
    finally:
        house.patcher.undo()


def test_wrapt_is_used_without_its_package(house, call):
    import subprocess

    program = """
import sys
from remora.patching.wrapt_core import function_wrapper
mine = function_wrapper()
print("wrapt" in sys.modules, "asyncio" in sys.modules)
import wrapt
print(issubclass(mine, wrapt.FunctionWrapper), wrapt.__spec__.loader is not None)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True", "True"]
