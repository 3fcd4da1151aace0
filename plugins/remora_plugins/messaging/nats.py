"""nats-py: publish, request, callbacks and subscriptions that are read, of core NATS and of JetStream.

Subjects that begin with ``$`` are the server's own: its API, acknowledgements, and what is stored in key-value buckets.
"""

from __future__ import annotations

import asyncio

from remora.conventions.call import MESSAGING
from remora.conventions.messaging import ProcessCall, ReceiveCall, SendCall, SettleCall, reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.messaging import MessagingCall

SYSTEM = "nats"
_ROOM_BYTES = 10_000  # for a trace; a server closes the connection upon what is larger than it allows
_ACKS = "$JS.ACK."


def patch_client(module: ModuleType, patcher: Patcher) -> None:
    client = module.Client
    patcher.wrap(client, "publish", reads=_sends("publish", headers_at=3))
    patcher.wrap(client, "request", reads=_sends("request", headers_at=4))

    def subscribing(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        callback = args[2] if len(args) > 2 else kwargs.get("cb")
        own = type(getattr(callback, "__self__", None)).__module__.startswith("nats.")
        if not callable(callback) or own:
            return args, kwargs
        subject = args[0] if args else kwargs.get("subject")
        queue = args[1] if len(args) > 1 else kwargs.get("queue")
        traced = patcher.callback(callback, reads=_processes(subject, queue))
        return ((*args[:2], traced, *args[3:]), kwargs) if len(args) > 2 else (args, {**kwargs, "cb": traced})

    patcher.intercept(client, "subscribe", subscribing)


def patch_subscription(module: ModuleType, patcher: Patcher) -> None:
    # The task that calls back outlives whatever subscribed.
    patcher.isolate(module.Subscription, "_start")
    patcher.receives(module.Subscription, "next_msg", _received("next_msg"))
    patcher.receives(module._SubscriptionMessageIterator, "__anext__", _iterated)


def patch_message(module: ModuleType, patcher: Patcher) -> None:
    for operation in ("ack", "ack_sync", "nak", "term", "in_progress"):
        patcher.wrap(module.Msg, operation, reads=_settled(operation))


def patch_jetstream(module: ModuleType, patcher: Patcher) -> None:
    context = module.JetStreamContext
    patcher.wrap(context, "publish", reads=_sends("publish", headers_at=4, client="_nc"))
    if hasattr(context, "publish_async"):
        reads = _sends("publish_async", headers_at=4, client="_nc")
        patcher.promises(context, "publish_async", reads=reads, follows=_acknowledged)
    patcher.receives(context.PullSubscription, "fetch", _received("fetch"), covers=MESSAGING)


class NatsSendCall(SendCall):
    """A send whose headers, a copy, are an argument by position ``headers_at`` or by name."""

    __slots__ = ("headers", "headers_at")

    def __init__(self, operation: str, subject: object, headers: dict[str, Any], headers_at: int) -> None:
        self.headers = headers
        self.headers_at = headers_at
        super().__init__(SYSTEM, operation, subject, carriers=(headers,))

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Those of the program, with the headers in place."""
        if not self.headers:
            return args, kwargs
        if len(args) > self.headers_at:
            return (*args[: self.headers_at], self.headers, *args[self.headers_at + 1 :]), kwargs
        return args, {**kwargs, "headers": self.headers}


def _sends(operation: str, *, headers_at: int, client: str = "") -> Any:
    def read(instance: Any, *args: Any, **kwargs: Any) -> NatsSendCall | None:
        subject = args[0] if args else kwargs.get("subject")
        if not isinstance(subject, str) or subject.startswith("$"):
            return None
        if operation == "request" and (args[3] if len(args) > 3 else kwargs.get("old_style")):
            return None  # which takes no headers, and publishes
        connection = getattr(instance, client) if client else instance
        headers = args[headers_at] if len(args) > headers_at else kwargs.get("headers")
        payload = args[1] if len(args) > 1 else kwargs.get("payload", b"")
        call = NatsSendCall(operation, subject, dict(headers or {}), headers_at)
        if not _takes_headers(connection) or len(payload) > connection.max_payload - _ROOM_BYTES:
            call.carriers = []
        call.message_id = call.headers.get("Nats-Msg-Id")
        _locate(call, connection, subject)
        return call

    return read


def _acknowledged(_: SendCall, future: Any, over: Any) -> None:
    def done(finished: Any) -> None:
        over(None if finished.cancelled() else finished.exception())

    future.add_done_callback(done)


def _processes(subscribed: object, queue: object) -> Any:
    def read(message: Any, *_: object) -> ProcessCall | None:
        if message.subject.startswith("$"):
            return None
        call = ProcessCall(SYSTEM, "process", message.subject, readers=(reader(message.headers),))
        _describe(call, message, subscribed, queue)
        return call

    return read


def _received(operation: str) -> Any:
    def read(result: Any, exception: BaseException | None, subscription: Any, *_: object, **__: object) -> Any:
        if exception is not None:
            return _failed(operation, exception, subscription)
        messages = result if isinstance(result, list) else [result]
        messages = [message for message in messages if not message.subject.startswith("$")]
        if not messages:
            return None
        first = messages[0]
        same = all(message.subject == first.subject for message in messages)
        read_from = [reader(message.headers) for message in messages]
        call = ReceiveCall(SYSTEM, operation, first.subject if same else None, readers=read_from)
        if len(messages) > 1:
            call.count = len(messages)
            _locate(call, first._client, first.subject)
            call.group = _consumer(first)
        else:
            _describe(call, first, getattr(subscription, "_subject", None), getattr(subscription, "_queue", None))
        return call

    return read


_NEXT = _received("next_msg")


def _iterated(result: Any, exception: BaseException | None, iterator: Any) -> Any:
    return _NEXT(result, exception, iterator._sub)


def _failed(operation: str, exception: BaseException, subscription: Any) -> ReceiveCall | None:
    if isinstance(exception, (asyncio.TimeoutError, asyncio.CancelledError, StopAsyncIteration)):
        return None  # nothing came
    subject = getattr(subscription, "_subject", None)
    call = ReceiveCall(SYSTEM, operation, subject)
    call.count = 0
    connection = getattr(subscription, "_conn", None) or getattr(subscription, "_nc", None)
    if connection is not None:
        _locate(call, connection, subject)
    return call


def _settled(operation: str) -> Any:
    def read(message: Any, *_: object, **__: object) -> SettleCall:
        call = SettleCall(SYSTEM, operation, message.subject)
        _describe(call, message, None, None)
        return call

    return read


def _describe(call: MessagingCall, message: Any, subscribed: object, queue: object) -> None:
    if isinstance(subscribed, str) and ("*" in subscribed or ">" in subscribed):
        call.template = subscribed
    call.group = _consumer(message) or queue
    if message.headers:
        call.message_id = message.headers.get("Nats-Msg-Id")
    _locate(call, message._client, message.subject)


def _consumer(message: Any) -> str | None:
    """The consumer of a stream that delivered it, which the subject to acknowledge it to tells."""
    reply = message.reply
    if not isinstance(reply, str) or not reply.startswith(_ACKS):
        return None
    parts = reply.split(".")
    return parts[3] if len(parts) == 9 else parts[5] if len(parts) > 10 else None


def _locate(call: MessagingCall, connection: Any, subject: object) -> None:
    url = getattr(connection, "connected_url", None)
    if url is not None:
        call.host, call.port = url.hostname, url.port
    prefix = getattr(connection, "_inbox_prefix", b"_INBOX")
    if isinstance(subject, str) and subject.startswith(prefix.decode() + "."):
        call.temporary = True


def _takes_headers(connection: Any) -> bool:
    """Whether the server said so; one older than 2.2 does not."""
    return bool((getattr(connection, "_server_info", None) or {}).get("headers"))
