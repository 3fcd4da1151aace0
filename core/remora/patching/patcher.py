"""All that a plugin's patch function can do to a library."""

from __future__ import annotations

from remora.operation import carrying
from remora.patching import around
from remora.patching.calls_cy import Enriching, Looking, Replacing, Rewriting
from remora.patching.undo import Undo, sort_of
from remora.patching.wrapt_core import function_wrapper
from remora.telemetry.spans_cy import Frame, current, pop, push, root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from remora.operation.running_cy import Operations

    Rewrites = Callable[[tuple[Any, ...], dict[str, Any]], tuple[tuple[Any, ...], dict[str, Any]]]


class Patcher:
    """Patches for one instrumentation; ``undo`` takes all of them back.

    Describers are called with the patched function's own arguments (``self`` first for methods). A describer that
    raises is counted as a fault of the plugin; the program's call goes on as if it were not patched.
    """

    def __init__(self, operations: Operations) -> None:
        self.operations = operations
        self._undo = Undo()
        self._patches: dict[tuple[int, str], tuple[Any, ...]] = {}

    def wrap(
        self,
        owner: Any,
        attribute: str,
        *,
        reads: Callable[..., Any],
        ends: Callable[..., Any] | None = None,
        streams: bool = False,
        rewrites: Rewrites | None = None,
    ) -> None:
        """Makes each call of ``owner.attribute`` an operation.

        Args:
            reads: returns the call's record, or None to leave this call alone.
            ends: takes the record and the result, and completes the record. Not called when the function raised.
            streams: the result is iterated later; the operation ends with its last item. The record must have
                ``whole(result) -> bool``: True when nothing is left to wait for.
            rewrites: as for ``intercept``, but inside the operation: it sees its span, ``reads`` not what it changed.

        The record of a stream or a coroutine function may have ``arguments(args, kwargs) -> (args, kwargs)`` (``self``
        not among them) to change what the function is called with. That of a coroutine function may have
        ``serving(args, kwargs, over)`` instead: the operation ends when ``over()`` is called, though the function may
        go on, as a server's does with background tasks after the answer is out.
        """
        body = around.body(self.operations, _lookup(owner, attribute), reads, ends, streams)
        self._put(owner, attribute, body, reads, ends, inner=rewrites)

    def traced(
        self,
        function: Callable[..., Any],
        *,
        reads: Callable[..., Any],
        ends: Callable[..., Any] | None = None,
        streams: bool = False,
        rewrites: Rewrites | None = None,
    ) -> Any:
        """Like ``wrap`` for a function that the plugin places itself, such as a method of a subclass."""
        body = around.body(self.operations, function, reads, ends, streams)
        return function_wrapper()(self._rewritten(function, rewrites), body)

    def callback(self, function: Callable[..., Any], *, reads: Callable[..., Any]) -> Any:
        """Like ``traced`` for a function of the program's: ``reads`` sees what it is called with, no more.

        Of a bound method, ``self`` is not shown, which the other describers see first.
        """
        bound_to = getattr(function, "__self__", None)
        if bound_to is None:
            return self.traced(function, reads=reads)

        def seen(*args: Any, **kwargs: Any) -> Any:
            return reads(*(args[1:] if args and args[0] is bound_to else args), **kwargs)

        return self.traced(function, reads=seen)

    def receives(self, owner: Any, attribute: str, reads: Callable[..., Any], *, covers: int = 0) -> None:
        """For functions that fetch messages: ``reads(result, exception, *arguments)`` is called when the call is over.

        It returns the call's record, or None where there is nothing to tell, as of a poll that got nothing. ``result``
        is None where ``exception`` was raised. Plain and coroutine functions. Calls of the families ``covers`` are a
        part of it.
        """
        from remora.patching import receiving  # deferred: only messaging has use for it

        body = receiving.body(self.operations, _lookup(owner, attribute), reads, covers=covers)
        self._put(owner, attribute, body, reads)

    def received(
        self,
        function: Callable[..., Any],
        *,
        reads: Callable[..., Any],
        asks: Rewrites | None = None,
        covers: int = 0,
        awaited: bool = False,
    ) -> Any:
        """Like ``receives`` for a function that the plugin places itself.

        ``asks(args, kwargs)`` tells what to fetch with (``self`` not among them); ``reads`` sees what the program
        passed. ``awaited``: a plain function returns an awaitable.
        """
        from remora.patching import receiving  # deferred: only messaging has use for it

        body = receiving.body(self.operations, function, reads, asks, covers, awaited=awaited)
        return function_wrapper()(function, body)

    def promises(self, owner: Any, attribute: str, *, reads: Callable[..., Any], follows: Callable[..., None]) -> None:
        """Like ``wrap`` for a function whose result, such as a future, tells later how the operation went.

        ``follows(call, result, over)`` is called with the result. It completes the record when more is known, and has
        ``over(exception)``, or ``over()``, called at the end, in whatever thread; nothing is current until then.
        """
        from remora.patching import promising  # deferred: only messaging has use for it

        self._put(owner, attribute, promising.body(self.operations, _lookup(owner, attribute), reads, follows), reads)

    def before(self, owner: Any, attribute: str, sees: Callable[..., None]) -> None:
        """Calls ``sees`` with the arguments before each call of ``owner.attribute``."""
        self._put(owner, attribute, Looking(self.operations, sees), sees)

    def intercept(
        self, owner: Any, attribute: str, rewrite: Callable[..., tuple[tuple[Any, ...], dict[str, Any]]]
    ) -> None:
        """Calls ``owner.attribute`` with what ``rewrite(args, kwargs)`` returns (``self`` not among them)."""
        self._put(owner, attribute, Rewriting(self.operations, rewrite), rewrite)

    def around(
        self,
        owner: Any,
        attribute: str,
        body: Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any],
    ) -> None:
        """Runs ``body(original, args, kwargs)`` instead of a plain function; for what the others cannot express.

        The body calls the original itself. Unlike the describers it is not guarded: it must not fail.
        """
        self._put(owner, attribute, Replacing(self.operations, body, False), body)

    def around_method(
        self,
        owner: Any,
        attribute: str,
        body: Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any],
    ) -> None:
        """Like ``around``, but ``body(original, instance, args, kwargs)``.

        The instance is told also where a subclass calls ``Owner.attribute(self, ...)``: then ``original`` is bound to
        it in a way that has no ``__self__``.
        """
        self._put(owner, attribute, Replacing(self.operations, body, True), body)

    def carry(self, owner: Any, attribute: str, position: int, name: str) -> None:
        """A callable argument (by position after ``self``, or by name) will run with the frame of this call."""

        def carried(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
            if len(args) > position:
                args = (*args[:position], carrying.carried(args[position]), *args[position + 1 :])
            elif name in kwargs:
                kwargs = {**kwargs, name: carrying.carried(kwargs[name])}
            return args, kwargs

        self.intercept(owner, attribute, carried)

    def enrich(self, owner: Any, attribute: str, adds: Callable[..., None]) -> None:
        """Like ``before``, with the record of the enclosing server call as the first argument; only inside one."""
        self._put(owner, attribute, Enriching(self.operations, adds), adds)

    def learn(self, owner: Any, attribute: str, adds: Callable[..., None]) -> None:
        """Like ``enrich``, but after the call, with its result as the second argument; not called when it raised."""
        operations = self.operations

        def learning(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
            result = wrapped(*args, **kwargs)
            if operations.active and (call := current().server) is not None:
                try:
                    if instance is None:
                        adds(call, result, *args, **kwargs)
                    else:
                        adds(call, result, instance, *args, **kwargs)
                except Exception as error:
                    operations.fault("learn", error)
            return result

        self._put(owner, attribute, learning, adds)

    def isolate(self, owner: Any, attribute: str) -> None:
        """Runs ``owner.attribute`` with nothing current: for threads that outlive the call that starts them."""

        def isolated(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
            frame = root()
            token = push(frame)
            try:
                return wrapped(*args, **kwargs)
            finally:
                pop(token, frame)

        self._put(owner, attribute, isolated)

    def silence(self, owner: Any, attribute: str) -> None:
        """Nothing is recorded of what the plain function ``owner.attribute`` does while no span is current.

        For workers that ask a database for the next task over and over.
        """
        operations = self.operations

        def silenced(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
            outer = current()
            if not operations.active or (outer is not root() and outer.span is not None):
                return wrapped(*args, **kwargs)
            frame = Frame(None, outer.baggage, suppressed=True)
            token = push(frame)
            try:
                return wrapped(*args, **kwargs)
            finally:
                pop(token, frame)

        self._put(owner, attribute, silenced)

    def carried(self, function: Callable[..., Any]) -> Any:
        """The function, to be run later in another thread with what is current now."""
        return carrying.carried(function)

    def replace(self, owner: Any, attribute: str, value: Any) -> None:
        """Sets ``owner.attribute``, remembered for undo."""
        self._undo.set(owner, attribute, value)

    def undo(self) -> None:
        """Takes every patch back."""
        self.operations.active = False
        self._undo.all()

    def _rewritten(self, function: Any, rewrites: Rewrites | None) -> Any:
        return function if rewrites is None else function_wrapper()(function, Rewriting(self.operations, rewrites))

    def _put(
        self, owner: Any, attribute: str, body: Callable[..., Any], *describers: Any, inner: Rewrites | None = None
    ) -> None:
        patch = sort_of(body, describers)
        if not self._undo.holds(owner, attribute):
            original = self._rewritten(_lookup(owner, attribute), inner)
            self._undo.set(owner, attribute, function_wrapper()(original, body))
            self._patches[id(owner), attribute] = patch
        elif self._patches.get((id(owner), attribute)) != patch:
            # The same patch comes again where a module is imported twice; another one is a plugin's mistake.
            from remora.patching.twice import patched_twice  # only then

            self.operations.fault("patch", patched_twice(owner, attribute))


def _lookup(owner: Any, attribute: str) -> Any:
    # The raw entry, so that static and class methods stay what they are.
    for holder in getattr(owner, "__mro__", (owner,)):
        if attribute in vars(holder):
            return vars(holder)[attribute]
    return getattr(owner, attribute)
