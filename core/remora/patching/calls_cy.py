"""What runs around a patched plain function, and around the iterable it may return. Compiled when it can be.

No Python frame of ours stands between the program and the library then: a warning's ``stacklevel`` and a traceback
point where they would without us.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from remora import _cython as cython  # type: ignore[no-redef]

if not cython.compiled:
    from remora.conventions.call_cy import Call
    from remora.operation.running_cy import Operations, Running
    from remora.telemetry.spans_cy import Frame, current, pop, push
else:
    from cython.cimports.remora.conventions.call_cy import Call
    from cython.cimports.remora.operation.running_cy import Operations, Running
    from cython.cimports.remora.telemetry.spans_cy import Frame, current, pop, push

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COMPILED = cython.compiled
_END = object()


def doubled(operations: Operations, family: cython.uint) -> bool:
    """Whether no call of ``family`` would be traced now, as one is open already: then it need not be described.

    0, for describers that make records of several families or see more than they describe: never.
    """
    if family == 0:
        return False
    frame: Frame = current()
    return frame.suppressed or (frame.open_families & family) != 0


def within(part: tuple[Any, ...], instance: Any, args: tuple[Any, ...]) -> bool:
    """Whether what runs now is a part of the innermost open call, by what ``conventions.call.part_of`` says."""
    frame: Frame = current()
    if frame.open_call is None or frame.open_families == 0 or frame.suppressed or instance is None:
        return False
    try:
        outer: Call = frame.open_call
        if not frame.open_families & outer.family:
            return False
        unless: str = part[3]
        if unless and unless in instance.__dict__:
            return False
        at: cython.int = part[2]
        method: Any = None
        if at >= 0:
            if len(args) <= at:
                return False
            method = args[at]
        return outer.covers(method, getattr(instance, part[0]), getattr(instance, part[1]))
    except Exception:
        return False  # the layer's own record will tell


def needs(reads: Any) -> int:
    """How many arguments a describer looks at that ignores all others, as ``*_, **__`` says; -1 for others.

    It is then only given those, for nobody has to put the others together.
    """
    code = getattr(reads, "__code__", None)
    if code is None or hasattr(reads, "__func__") or code.co_flags & 0x0C != 0x0C or code.co_kwonlyargcount:
        return -1
    names = code.co_varnames[code.co_argcount : code.co_argcount + 2]  # of what takes the rest
    return -1 if "".join(names).strip("_") else code.co_argcount


def begin(
    operations: Operations, reads: Any, instance: Any, args: tuple[Any, ...], kwargs: Any, needed: cython.int = -1
) -> Running | None:
    """Asks the plugin what the call is and starts it; None when it is not traced. Never raises.

    ``needed`` is what ``needs`` says of the describer.
    """
    if not operations.active:
        return None
    try:
        if instance is not None and needed == 2 and len(args) >= 1:
            call = reads(instance, args[0])
        elif instance is not None and needed == 1:
            call = reads(instance)
        elif instance is None:
            call = reads(*args, **kwargs) if kwargs else reads(*args)
        else:
            call = reads(instance, *args, **kwargs) if kwargs else reads(instance, *args)
    except (RecursionError, MemoryError):
        return None  # the program's own trouble
    except Exception as error:
        operations.fault("reads", error)
        return None
    return operations.begin(call)


def arguments(running: Running, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """What to call the library with: the record's ``arguments`` may put something of its own in between."""
    rewrite = getattr(running.call, "arguments", None)
    if rewrite is None:
        return args, kwargs
    try:
        changed: Any = rewrite(args, kwargs)
        return changed[0], changed[1]
    except Exception as error:
        running.operations.fault("arguments", error)
    return args, kwargs


def complete(running: Running, ends: Any, result: Any) -> Any:
    """Lets the plugin read the result, then ends the call."""
    if ends is not None:
        try:
            ends(running.call, result)
        except Exception as error:
            running.operations.fault("ends", error)
    running.end()
    return None


@cython.final
@cython.cclass
class Over:
    """Ends a call before its function returns, as a server's does with background tasks after the answer is out."""

    if not cython.compiled:
        __slots__ = ("running",)

    def __init__(self, running: Running) -> None:
        self.running = running

    def __call__(self) -> None:
        # What the function still does stays inside: its frame is only taken off when it returns.
        running: Running = self.running
        token = running.token
        running.token = None
        try:
            running.end()
        finally:
            running.token = token


@cython.cclass
class AroundCall:
    """The body for a plain function."""

    if not cython.compiled:
        __slots__ = ("ends", "family", "needed", "operations", "part", "reads")

    def __init__(self, operations: Operations, reads: Any, ends: Any) -> None:
        self.family = getattr(reads, "serves", 0)
        self.part = getattr(reads, "part_of", None)
        self.needed = needs(reads)
        self.operations = operations
        self.reads = reads
        self.ends = ends

    def __call__(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        running: Running | None = None
        if self.part is not None and within(self.part, instance, args):
            return wrapped(*args, **kwargs) if kwargs else wrapped(*args)
        if not doubled(self.operations, self.family):
            running = begin(self.operations, self.reads, instance, args, kwargs, self.needed)
        if running is None:
            return wrapped(*args, **kwargs) if kwargs else wrapped(*args)
        try:
            result = wrapped(*args, **kwargs) if kwargs else wrapped(*args)
        except BaseException as error:
            running.end(error)
            raise
        complete(running, self.ends, result)
        return result


@cython.final
@cython.cclass
class AroundStream(AroundCall):
    """The body for a function whose result is iterated later (WSGI): the call ends with the last item or ``close``."""

    if not cython.compiled:
        __slots__ = ()

    def __call__(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        running: Running | None = None
        if not doubled(self.operations, self.family):
            running = begin(self.operations, self.reads, instance, args, kwargs, self.needed)
        if running is None:
            return wrapped(*args, **kwargs) if kwargs else wrapped(*args)
        passed: tuple[Any, Any] = arguments(running, args, kwargs)
        args = passed[0]
        kwargs = passed[1]
        try:
            result = wrapped(*args, **kwargs) if kwargs else wrapped(*args)
        except BaseException as error:
            running.end(error)
            raise
        kind: Any = type(result)
        if kind is list or kind is tuple or _whole(running, result):
            complete(running, self.ends, result)
            return result
        running.leave()
        if hasattr(kind, "__len__"):
            return SizedStream(running, result, self.ends)
        return Stream(running, result, self.ends)


@cython.cfunc
def _whole(running: Running, result: Any) -> cython.bint:
    record: Any = running.call
    try:
        return bool(record.whole(result))
    except Exception as error:
        running.operations.fault("whole", error)
        return False


@cython.final
@cython.cclass
class Looking:
    """The body that shows a call's arguments to a plugin before the call."""

    if not cython.compiled:
        __slots__ = ("operations", "sees")

    def __init__(self, operations: Operations, sees: Any) -> None:
        self.operations = operations
        self.sees = sees

    def __call__(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        if self.operations.active:
            try:
                if instance is None:
                    self.sees(*args, **kwargs)
                else:
                    self.sees(instance, *args, **kwargs)
            except Exception as error:
                self.operations.fault("before", error)
        return wrapped(*args, **kwargs) if kwargs else wrapped(*args)


@cython.final
@cython.cclass
class Enriching:
    """``Looking``, with the record of the enclosing server call first; only inside one."""

    if not cython.compiled:
        __slots__ = ("adds", "operations")

    def __init__(self, operations: Operations, adds: Any) -> None:
        self.operations = operations
        self.adds = adds

    def __call__(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        if self.operations.active:
            frame: Frame = current()
            call = frame.server
            if call is not None:
                try:
                    if instance is None:
                        self.adds(call, *args, **kwargs)
                    elif kwargs:
                        self.adds(call, instance, *args, **kwargs)
                    else:
                        self.adds(call, instance, *args)
                except Exception as error:
                    self.operations.fault("before", error)
        return wrapped(*args, **kwargs) if kwargs else wrapped(*args)


@cython.final
@cython.cclass
class Replacing:
    """The body of ``around``, with ``tells_instance`` of ``around_method``: the plugin's own function runs instead."""

    if not cython.compiled:
        __slots__ = ("function", "operations", "part", "tells_instance")

    def __init__(self, operations: Operations, function: Any, tells_instance: cython.bint) -> None:
        self.operations = operations
        self.function = function
        self.part: Any = getattr(function, "part_of", None)
        self.tells_instance = tells_instance

    def __call__(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        if not self.operations.active or (self.part is not None and within(self.part, instance, args)):
            return wrapped(*args, **kwargs) if kwargs else wrapped(*args)
        if self.tells_instance:
            return self.function(wrapped, instance, args, kwargs)
        return self.function(wrapped, args, kwargs)


@cython.final
@cython.cclass
class Rewriting:
    """The body that calls the original with other arguments."""

    if not cython.compiled:
        __slots__ = ("operations", "rewrite")

    def __init__(self, operations: Operations, rewrite: Any) -> None:
        self.operations = operations
        self.rewrite = rewrite

    def __call__(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:  # noqa: ARG002 - wrapt's signature
        if self.operations.active:
            try:
                changed: tuple[Any, Any] = self.rewrite(args, kwargs)
                args = changed[0]
                kwargs = changed[1]
            except Exception as error:
                self.operations.fault("intercept", error)
        return wrapped(*args, **kwargs) if kwargs else wrapped(*args)


@cython.cclass
class Stream:
    """An iterable result that is still being produced; attribute access goes through to the original."""

    if not cython.compiled:
        __slots__ = ("__weakref__", "ends", "iterable", "iterator", "running")

    def __init__(self, running: Running, iterable: Any, ends: Any) -> None:
        self.running = running
        self.iterable = iterable
        self.iterator: Any = None
        self.ends = ends

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> Any:
        running: Running = self.running
        running.enter()
        try:
            if self.iterator is None:
                self.iterator = iter(self.iterable)
            item = next(self.iterator, _END)
        except BaseException as error:
            running.end(error)
            raise
        if item is _END:
            complete(running, self.ends, self.iterable)
            raise StopIteration
        running.leave()
        return item

    def close(self) -> None:
        """Ends the request; what the program does then belongs to it, though its last byte is out."""
        running: Running = self.running
        token = push(running.frame)
        try:
            close = getattr(self.iterable, "close", None)
            if close is not None:
                close()
        except BaseException as error:
            running.end(error)
            raise
        finally:
            pop(token, running.frame)
        complete(running, self.ends, self.iterable)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.iterable, name)

    def __del__(self) -> None:
        # A server that never iterated nor closed: the request is over all the same. Garbage collection may come in the
        # middle of anything, such as the compiler, so no exception is put into words here: that compiles, too.
        running: Running = self.running
        if running is not None and not running.over:
            running.end(None, True)


@cython.final
@cython.cclass
class SizedStream(Stream):
    """A stream whose original has a length: servers that ask ``hasattr(result, "__len__")`` go on to ask for it."""

    def __len__(self) -> int:
        return len(self.iterable)

    def __bool__(self) -> bool:
        return bool(self.iterable)
