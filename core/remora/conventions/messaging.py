"""Messages: sent, received, processed and settled, one span each; consumers are linked to what producers began."""

from __future__ import annotations

from remora.conventions import errors, metrics
from remora.conventions.call import CLIENT, CONSUMER, MESSAGING, PRODUCER, Call
from remora.conventions.keys import (
    ERROR_TYPE,
    MESSAGING_BATCH_MESSAGE_COUNT,
    MESSAGING_CLIENT_ID,
    MESSAGING_CONSUMER_GROUP_NAME,
    MESSAGING_DESTINATION_ANONYMOUS,
    MESSAGING_DESTINATION_NAME,
    MESSAGING_DESTINATION_PARTITION_ID,
    MESSAGING_DESTINATION_SUBSCRIPTION_NAME,
    MESSAGING_DESTINATION_TEMPLATE,
    MESSAGING_DESTINATION_TEMPORARY,
    MESSAGING_MESSAGE_CONVERSATION_ID,
    MESSAGING_MESSAGE_ID,
    MESSAGING_OPERATION_NAME,
    MESSAGING_OPERATION_TYPE,
    MESSAGING_SYSTEM,
    NETWORK_PEER_ADDRESS,
    NETWORK_PEER_PORT,
    SERVER_ADDRESS,
    SERVER_PORT,
)
from remora.conventions.values_cy import exact_int, exact_text
from remora.telemetry.spans_cy import Frame, Span, current, root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, MutableMapping, Sequence
    from typing import Any, Final

    from remora.conventions.metrics import Metric

    Reader = Callable[[str], str | None]

CREATE: Final = "create"
SEND: Final = "send"
RECEIVE: Final = "receive"
PROCESS: Final = "process"
SETTLE: Final = "settle"

_MAX_LINKS = 1000  # the span's own limit comes later; this keeps a huge batch from costing time

_parents = False


def configure(parents: bool) -> None:
    """Whether a single message's context becomes the parent of its processing (and the ambient one a link)."""
    global _parents
    _parents = parents


def reader(headers: Any) -> Reader:
    """Reads a message's headers by lower-case name: a mapping or pairs, with names and values as str or bytes."""

    def read(name: str) -> str | None:
        if not headers:
            return None
        if hasattr(headers, "get"):
            found = headers.get(name)
            if found is None:
                found = next((value for key, value in headers.items() if _is(key, name)), None)
        else:
            found = next((value for key, value in headers if _is(key, name)), None)
        return exact_text(found)

    return read


def _is(key: object, name: str) -> bool:
    text = exact_text(key)
    return text is not None and text.lower() == name


class MessagingCall(Call):
    """What all operations know.

    ``system`` is the registry's name ("rabbitmq", "kafka"); ``operation_name`` the library's own word for what it does
    ("publish", "poll", "ack"); ``destination`` the topic, queue or exchange; ``host`` and ``port`` the broker's.

    To be set where known: ``template`` of the destination, whether it is ``temporary`` or ``anonymous`` (then spans and
    metrics are not named for it), ``partition``, ``group``, ``subscription``, ``client_id``, ``message_id``,
    ``conversation_id``; ``count``, the number of messages, for operations on batches only; ``extra``, attributes of the
    system's own convention, known before; ``late``, the same known afterwards; ``peer_address``, ``peer_port``;
    ``error_type``, a short fixed code for a failure. ``readers`` has, for each message, what reads its headers.
    """

    __slots__ = (
        "anonymous",
        "client_id",
        "conversation_id",
        "count",
        "destination",
        "error_type",
        "extra",
        "group",
        "host",
        "late",
        "message_id",
        "operation_name",
        "partition",
        "peer_address",
        "peer_port",
        "port",
        "readers",
        "subscription",
        "system",
        "template",
        "temporary",
    )

    family = MESSAGING
    duration = metrics.MESSAGING_CLIENT_OPERATION_DURATION
    operation_type: str = ""

    def __init__(
        self,
        system: str,
        operation_name: str,
        destination: object = None,
        *,
        host: object = None,
        port: object = None,
        readers: Sequence[Reader] = (),
    ) -> None:
        self.carrier = None
        self.system = system
        self.operation_name = operation_name
        self.destination = destination
        self.host = host
        self.port = port
        self.readers = readers
        self.template: object = None
        self.temporary = False
        self.anonymous = False
        self.partition: object = None
        self.group: object = None
        self.subscription: object = None
        self.client_id: object = None
        self.message_id: object = None
        self.conversation_id: object = None
        self.count: int | None = None
        self.extra: dict[str, Any] | None = None
        self.late: dict[str, Any] | None = None
        self.peer_address: object = None
        self.peer_port: object = None
        self.error_type: str | None = None

    def doubles(self, outer: Any) -> bool:
        """A library over another one (Celery over Kombu) does the same thing, but for processing."""
        return bool(outer.operation_type == self.operation_type != PROCESS)

    def release(self) -> None:
        """Lets go of the messages."""
        self.carrier = None
        self.readers = ()

    def name(self) -> str:
        """``{operation} {destination}``; what is made up for one use is not named, the broker is then."""
        target = exact_text(self.template)
        if not target and not (self.temporary or self.anonymous):
            target = exact_text(self.destination)
        if not target:
            host = exact_text(self.host)
            port = exact_int(self.port)
            target = f"{host}:{port}" if host and port is not None else host
        return f"{self.operation_name} {target}" if target else self.operation_name

    def start(self) -> dict[str, Any]:
        """All the convention lets a sampler see."""
        attributes: dict[str, Any] = {
            MESSAGING_SYSTEM: self.system,
            MESSAGING_OPERATION_NAME: self.operation_name,
            MESSAGING_OPERATION_TYPE: self.operation_type,
        }
        _put(attributes, MESSAGING_DESTINATION_NAME, self.destination)
        _put(attributes, MESSAGING_DESTINATION_TEMPLATE, self.template)
        _put(attributes, MESSAGING_DESTINATION_PARTITION_ID, self.partition)
        _put(attributes, MESSAGING_DESTINATION_SUBSCRIPTION_NAME, self.subscription)
        _put(attributes, MESSAGING_CONSUMER_GROUP_NAME, self.group)
        if self.temporary:
            attributes[MESSAGING_DESTINATION_TEMPORARY] = True
        if self.anonymous:
            attributes[MESSAGING_DESTINATION_ANONYMOUS] = True
        if self.host is not None:
            host = exact_text(self.host)
            if host:
                attributes[SERVER_ADDRESS] = host
                port = exact_int(self.port)
                if port is not None:
                    attributes[SERVER_PORT] = port
        if self.extra:
            attributes.update(self.extra)
        return attributes

    def measured(self, attributes: dict[str, Any]) -> dict[str, Any]:
        """The attributes for metrics: without the name of a destination that is made for one use."""
        if not (self.temporary or self.anonymous):
            return attributes
        return {key: value for key, value in attributes.items() if key != MESSAGING_DESTINATION_NAME}

    def origins(self, propagation: Any, parent: Frame) -> tuple[Frame, list[Any] | None]:
        """The span's parent and its links, one for each message that carries a context."""
        links = [_link(frame.span) for frame in self._contexts(propagation) if frame.span is not None]
        return parent, [link for link in links if link is not None] or None

    def begun(self, propagation: Any, frame: Frame) -> None:
        """The span has begun, and nothing was sent yet."""

    def counted(self) -> tuple[Metric, int] | None:
        """A counter and how much to add at the end; None to count nothing."""
        return None

    def end(self, exception: BaseException | None) -> dict[str, Any]:
        """What the broker told, and how many messages it were."""
        attributes: dict[str, Any] = {}
        _put(attributes, MESSAGING_CLIENT_ID, self.client_id)
        _put(attributes, MESSAGING_MESSAGE_ID, self.message_id)
        _put(attributes, MESSAGING_MESSAGE_CONVERSATION_ID, self.conversation_id)
        if self.count is not None:
            attributes[MESSAGING_BATCH_MESSAGE_COUNT] = int(self.count)
        if self.peer_address is not None:
            address = exact_text(self.peer_address)
            if address:
                attributes[NETWORK_PEER_ADDRESS] = address
                port = exact_int(self.peer_port)
                if port is not None:
                    attributes[NETWORK_PEER_PORT] = port
        if self.late:
            attributes.update(self.late)
        if self.error_type is not None:
            attributes[ERROR_TYPE] = exact_text(self.error_type) or errors.OTHER
        elif exception is not None and not errors.cancelled(exception):
            attributes[ERROR_TYPE] = errors.type_of(exception)
        return attributes

    def description(self, exception: BaseException | None) -> str | None:
        """The exception's own text, redacted."""
        return errors.description(exception)

    def _contexts(self, propagation: Any) -> list[Frame]:
        found = (propagation.extract(read) for read in self.readers[:_MAX_LINKS])
        return [frame for frame in found if frame is not None]


class SendCall(MessagingCall):
    """Messages on their way out; ``carriers`` are the headers of each, to which the trace is added by item assignment.

    A message in whose headers the program has put a context already keeps that one, and the span is linked to it.
    Where the carriers are copies, ``instead`` has the arguments and keyword arguments to call the library with (wrap
    with ``streams=True`` then, or a coroutine function).
    """

    __slots__ = ("carriers", "given", "instead")

    operation_type = SEND

    def __init__(
        self,
        system: str,
        operation_name: str,
        destination: object = None,
        *,
        host: object = None,
        port: object = None,
        carriers: Iterable[MutableMapping[str, Any]] = (),
    ) -> None:
        super().__init__(system, operation_name, destination, host=host, port=port)
        self.given: list[Reader] = []
        self.carriers: list[MutableMapping[str, Any]] = []
        for carrier in carriers:
            read = reader(carrier)
            if carrier and read("traceparent"):
                self.given.append(read)
            else:
                self.carriers.append(carrier)
        self.readers = self.given
        self.instead: tuple[tuple[Any, ...], dict[str, Any]] | None = None

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What to call the library with."""
        return (args, kwargs) if self.instead is None else self.instead

    def whole(self, _: object) -> bool:
        """Always: what a send returns is not waited for."""
        return True

    @property
    def kind(self) -> int:  # type: ignore[override]
        """PRODUCER where the messages' contexts begin here."""
        return CLIENT if self.given and not self.carriers else PRODUCER

    def begun(self, propagation: Any, frame: Frame) -> None:
        """Adds the trace to every message that has none."""
        for carrier in self.carriers:
            propagation.inject(frame, carrier)

    def counted(self) -> tuple[Metric, int] | None:
        """The messages that were sent, or were to be."""
        return metrics.MESSAGING_CLIENT_SENT_MESSAGES, 1 if self.count is None else int(self.count)

    def release(self) -> None:
        """Lets go of the messages."""
        super().release()
        self.carriers = []
        self.given = []
        self.instead = None


class CreateCall(SendCall):
    """A message that is made now and sent later, with others; the send is linked to it."""

    __slots__ = ()

    operation_type = CREATE

    def counted(self) -> tuple[Metric, int] | None:
        """Nothing: the send counts."""
        return None


class ReceiveCall(MessagingCall):
    """Messages that the program asked for and got; to be made when they are there, by ``Operations.passed``."""

    __slots__ = ()

    kind = CLIENT
    operation_type = RECEIVE

    def counted(self) -> tuple[Metric, int] | None:
        """The messages that were delivered."""
        delivered = 1 if self.count is None else int(self.count)
        return (metrics.MESSAGING_CLIENT_CONSUMED_MESSAGES, delivered) if delivered else None


class ProcessCall(MessagingCall):
    """The program's own function at work on one message or a batch.

    ``delivers``: the message came to the function without a receive of its own, so it is counted here. ``failure``, to
    be set by ``ends`` functions: what the function raised, where the library catches it.
    """

    __slots__ = ("delivers", "failure", "span")

    kind = CONSUMER
    operation_type = PROCESS
    duration = metrics.MESSAGING_PROCESS_DURATION

    def __init__(
        self,
        system: str,
        operation_name: str,
        destination: object = None,
        *,
        host: object = None,
        port: object = None,
        readers: Sequence[Reader] = (),
        delivers: bool = True,
    ) -> None:
        super().__init__(system, operation_name, destination, host=host, port=port, readers=readers)
        self.delivers = delivers
        self.failure: BaseException | None = None
        self.span: Any = None

    def origins(self, propagation: Any, parent: Frame) -> tuple[Frame, list[Any] | None]:
        """A trace of its own, linked to the messages' ones; or below a single message's, where that is asked for."""
        if parent is root():
            parent = Frame()  # a parent inherited from the environment belongs to the process, not to each message
        contexts = self._contexts(propagation)
        if len(contexts) == 1 and len(self.readers) == 1:
            only = contexts[0]
            if _parents and only.span is not None:
                ambient = _link(parent.span)
                return only, None if ambient is None else [ambient]
            if only.baggage and not parent.baggage:
                parent = Frame(parent.span, only.baggage)
        links = [_link(frame.span) for frame in contexts if frame.span is not None]
        return parent, [link for link in links if link is not None] or None

    def begun(self, propagation: Any, frame: Frame) -> None:  # noqa: ARG002 - nothing is sent
        """Remembers the span, which tells of a failure that the library catches."""
        self.span = frame.span

    def end(self, exception: BaseException | None) -> dict[str, Any]:
        """As of every operation; a failure that the library caught is one all the same."""
        if exception is not None or self.failure is None:
            return super().end(exception)
        attributes = super().end(self.failure)
        if ERROR_TYPE in attributes and self.span.recording:
            self.span.record_failure(self.failure, self.redacts)
        return attributes

    def description(self, exception: BaseException | None) -> str | None:
        """The exception's own text, redacted."""
        return super().description(self.failure if exception is None else exception)

    def release(self) -> None:
        """Lets go of the messages and of the failure, which holds the function's frames."""
        super().release()
        self.failure = None
        self.span = None

    def counted(self) -> tuple[Metric, int] | None:
        """What nothing else has counted."""
        if not self.delivers:
            return None
        return metrics.MESSAGING_CLIENT_CONSUMED_MESSAGES, 1 if self.count is None else int(self.count)


class SettleCall(MessagingCall):
    """Acknowledging, rejecting, committing."""

    __slots__ = ()

    kind = CLIENT
    operation_type = SETTLE


def of_current_message(headers: Any) -> bool:
    """Whether headers have the context of the message that is being processed now, as a retry copies them."""
    call = current().server
    if not headers or not isinstance(call, ProcessCall):
        return False
    context = reader(headers)("traceparent")
    return context is not None and any(read("traceparent") == context for read in call.readers[:_MAX_LINKS])


def _put(attributes: dict[str, Any], key: str, value: object) -> None:
    if value is not None:
        text = exact_text(value) if not isinstance(value, int) else str(int(value))
        if text:
            attributes[key] = text


def _link(span: Any) -> tuple[Any, ...] | None:
    """A link record as the engine keeps it; None for what is no context."""
    if not isinstance(span, Span) or not span.span_id:
        return None
    return (span.trace_hi, span.trace_lo, span.span_id, bool(span.remote), None, 0, span.flags & 0xFF, span.tracestate)
