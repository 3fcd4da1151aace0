"""Amazon SQS and SNS: their operations on messages, and how a trace travels in the attributes of a message.

HTTP beneath them, retries included, is part of them.
"""

from __future__ import annotations

from typing import TypeVar, cast

from remora.conventions import keys
from remora.conventions.call import HTTP_CLIENT
from remora.conventions.messaging import MessagingCall, ReceiveCall, SendCall, SettleCall, reader
from remora.conventions.url_cy import DEFAULT_PORTS, host_and_port
from remora.conventions.values_cy import exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any, Final

    from remora.conventions.messaging import Reader

SQS: Final = "aws_sqs"
SNS: Final = "aws.sns"
RECEIVE_MESSAGE: Final = "ReceiveMessage"

_MAX_ATTRIBUTES = 10  # of one message; a queue behind a topic with raw delivery drops what has more
_MAX_SIZES_BYTES = (262_144, 1_048_576)  # of a request's bodies and attributes: what it was, and what it is
_SMALL_CHARS = 30_000  # ten with that room below the first, however encoded
_ROOM_BYTES = 10_000  # for a trace: baggage alone may take 8192
_W3C = ("traceparent", "tracestate", "baggage")
# System, parameter that names the destination, what its last part follows, the system's own attribute, body.
_SQS = (SQS, "QueueUrl", "/", keys.AWS_SQS_QUEUE_URL, "MessageBody")
_SNS = (SNS, "TopicArn", ":", keys.AWS_SNS_TOPIC_ARN, "Message")
# Service and operation; the parameter that holds a batch.
_SENDS = {
    ("SQS", "SendMessage"): (_SQS, None),
    ("SQS", "SendMessageBatch"): (_SQS, "Entries"),
    ("SNS", "Publish"): (_SNS, None),
    ("SNS", "PublishBatch"): (_SNS, "PublishBatchRequestEntries"),
}
_SETTLES = {
    ("SQS", "DeleteMessage"): None,
    ("SQS", "DeleteMessageBatch"): "Entries",
    ("SQS", "ChangeMessageVisibility"): None,
    ("SQS", "ChangeMessageVisibilityBatch"): "Entries",
}


class Attributes:
    """A message's attributes as a carrier of texts; a copy, so that the program's own stay as they are."""

    __slots__ = ("changed", "full", "of")

    def __init__(self, attributes: object, full: bool = False) -> None:
        self.of: dict[str, Any] = dict(attributes) if isinstance(attributes, dict) else {}
        self.full = full or (attributes is not None and not isinstance(attributes, dict))
        self.changed = False

    def __len__(self) -> int:
        return len(self.of)

    def get(self, name: str) -> str | None:
        """The text of one, by its name."""
        found = self.of.get(name)
        return exact_text(found.get("StringValue")) if isinstance(found, dict) else None

    def items(self) -> Iterator[tuple[str, str | None]]:
        """All of them."""
        return ((name, self.get(name)) for name in self.of)

    def __setitem__(self, name: str, value: str) -> None:
        if value and name not in self.of and not self.full and len(self.of) < _MAX_ATTRIBUTES:
            self.of[name] = {"DataType": "String", "StringValue": value}
            self.changed = True


class _Api(MessagingCall):
    """``answer``, to be set afterwards, is what the operation returned."""

    __slots__ = ()

    answer: Any

    def begun(self, propagation: Any, frame: Any) -> None:
        """What is sent by HTTP is part of it."""
        super().begun(propagation, frame)
        frame.open_families |= HTTP_CLIENT

    def whole(self, _: object) -> bool:
        """Always: an answer is read at once."""
        return True

    def end(self, exception: BaseException | None) -> dict[str, Any]:
        """The answer's own words for a failure are in the exception, which holds the answer then."""
        answer = self.answer if exception is None else getattr(exception, "response", None)
        request_id = None
        if isinstance(answer, dict):
            self._read(answer)
            request_id = exact_text((answer.get("ResponseMetadata") or {}).get("RequestId"))
            failure = answer.get("Error")
            if exception is not None and isinstance(failure, dict):
                self.error_type = exact_text(failure.get("Code")) or None
        attributes = super().end(exception)
        if request_id:
            attributes[keys.AWS_REQUEST_ID] = request_id
        return attributes

    def release(self) -> None:
        """Lets go of what came back, too."""
        super().release()
        self.answer = None

    def _read(self, answer: dict[str, Any]) -> None:
        if self.operation_type != ReceiveCall.operation_type and self.count is None:
            self.message_id = answer.get("MessageId")
        failed = answer.get("Failed")  # of a batch
        if isinstance(failed, list) and failed and isinstance(failed[0], dict):
            self.error_type = exact_text(failed[0].get("Code")) or None


class AwsSendCall(_Api, SendCall):
    """``SendMessage`` and ``Publish``, and those of a batch; ``arguments`` puts copies with a trace in between."""

    __slots__ = ("answer", "batch", "copies", "parameters")

    def __init__(self, system: str, name: str, destination: object, parameters: dict[str, Any]) -> None:
        self.answer: Any = None
        self.parameters = parameters
        self.batch: str | None = None
        self.copies: list[Attributes] = []
        super().__init__(system, name, destination)

    def copied(self, messages: list[dict[str, Any]], body: str) -> None:
        """Takes the messages' attributes as carriers; ``body`` is the name of the texts that they are sent with."""
        full = not _has_room(messages, body)
        self.copies = [Attributes(message.get("MessageAttributes"), full) for message in messages]
        for copy in self.copies:
            if copy.get("traceparent"):
                self.given.append(reader(copy))
            else:
                self.carriers.append(cast("Any", copy))  # as much of a mapping as is asked for

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Those of ``_make_api_call(operation_name, api_params)``."""
        if not any(copy.changed for copy in self.copies):
            return args, kwargs
        if self.batch is None:
            changed = {**self.parameters, "MessageAttributes": self.copies[0].of}
        else:
            entries = zip(self.parameters[self.batch], self.copies, strict=True)
            changed = {
                **self.parameters,
                self.batch: [
                    {**entry, "MessageAttributes": copy.of} if copy.changed else entry for entry, copy in entries
                ],
            }
        return ((args[0], changed, *args[2:]), kwargs) if len(args) > 1 else (args, {**kwargs, "api_params": changed})

    def release(self) -> None:
        """Lets go of the messages."""
        super().release()
        self.copies = []
        self.parameters = {}


class AwsReceiveCall(_Api, ReceiveCall):
    """``ReceiveMessage``."""

    __slots__ = ("answer",)


class AwsSettleCall(_Api, SettleCall):
    """Deleting a message tells SQS that it was processed; until when it is hidden tells that it was not, yet."""

    __slots__ = ("answer",)


def operation(
    service: object, name: object, parameters: object, *, endpoint: object = None
) -> AwsSendCall | AwsSettleCall | None:
    """The record of an operation on messages, but for receiving; None for all others.

    ``service`` is the service's id ("SQS"), ``parameters`` are as the API has them, ``endpoint`` is a URL.
    """
    if service not in ("SQS", "SNS") or not isinstance(parameters, dict):
        return None
    known = (str(service), str(name))
    if known in _SETTLES:
        call = AwsSettleCall(SQS, known[1], _last(parameters.get("QueueUrl"), "/"))
        call.answer = None
        batch = _SETTLES[known]
        if batch is not None:
            call.count = _length(parameters.get(batch))
        return _located(call, endpoint, keys.AWS_SQS_QUEUE_URL, parameters.get("QueueUrl"))
    if known not in _SENDS:
        return None
    (system, target_at, separator, key, body), batch = _SENDS[known]
    target = parameters.get(target_at)
    if target is None and system == SNS:
        target = parameters.get("TargetArn")
        if not isinstance(target, str) or ":endpoint/" in target:
            return None  # to one telephone or device
    messages: Any = [parameters] if batch is None else parameters.get(batch)
    if not isinstance(messages, (list, tuple)) or not all(isinstance(message, dict) for message in messages):
        return None  # botocore will refuse it
    sent = AwsSendCall(system, known[1], _last(target, separator), parameters)
    sent.copied(list(messages), body)
    if batch is not None:
        sent.batch = batch
        sent.count = len(messages)
    return _located(sent, endpoint, key, target)


def received(
    parameters: Mapping[str, Any], answer: object, added: tuple[str, ...], *, endpoint: object
) -> AwsReceiveCall | None:
    """The record of a ``ReceiveMessage`` that is over; None when no message came. ``answer`` is None if it failed.

    The attributes ``added``, for which the program had not asked, are taken out of the answer.
    """
    messages = answer.get("Messages") if isinstance(answer, dict) else None
    if answer is not None and not messages:
        return None
    found = [message for message in messages or () if isinstance(message, dict)]
    queue = parameters.get("QueueUrl")
    call = AwsReceiveCall(SQS, RECEIVE_MESSAGE, _last(queue, "/"), readers=[_reader(message) for message in found])
    call.answer = answer
    call.count = len(found)
    if len(found) == 1:
        call.message_id = found[0].get("MessageId")
    for message in found:
        _take_out(message, added, bool(parameters.get("MessageAttributeNames")))
    return _located(call, endpoint, keys.AWS_SQS_QUEUE_URL, queue)


def unasked(parameters: Mapping[str, Any], awaited: Iterable[str] | None) -> tuple[str, ...]:
    """The attributes to ask for besides those that the program wants; ``awaited`` are those of the propagators."""
    asked = parameters.get("MessageAttributeNames") or ()
    if not isinstance(asked, (list, tuple)) or not all(isinstance(name, str) for name in asked):
        return ()  # botocore will refuse it
    if "All" in asked or ".*" in asked:
        return ()
    prefixes = tuple(name[:-2] for name in asked if name.endswith(".*"))
    names = _W3C if awaited is None else (*awaited, "tracestate")
    return tuple(name for name in dict.fromkeys(names) if name not in asked and not name.startswith(prefixes))


_Located = TypeVar("_Located", AwsSendCall, AwsReceiveCall, AwsSettleCall)


def _located(call: _Located, endpoint: object, key: str, target: object) -> _Located:
    text = exact_text(target)
    if text:
        call.extra = {key: text}
    scheme, _, rest = (exact_text(endpoint) or "").partition("://")
    if rest:
        call.host, call.port = host_and_port(rest.partition("/")[0].rpartition("@")[2])
        if call.port is None:
            call.port = DEFAULT_PORTS.get(scheme)
    return call


def _last(target: object, separator: str) -> str | None:
    text = exact_text(target)
    return text.rpartition(separator)[2] if text else None


def _length(entries: object) -> int | None:
    return len(entries) if isinstance(entries, (list, tuple)) else None


def _has_room(messages: Iterable[dict[str, Any]], body: str) -> bool:
    """Whether a trace in each cannot be what makes a request too large."""
    texts = [message.get(body) for message in messages]
    sizes = [len(text) for text in texts if isinstance(text, str)]
    if sum(sizes) < _SMALL_CHARS:
        return True
    size = sum(len(text.encode("utf-8", "replace")) for text in texts if isinstance(text, str))
    room = _ROOM_BYTES * len(texts)
    return not any(limit - room < size <= limit for limit in _MAX_SIZES_BYTES)


def _reader(message: dict[str, Any]) -> Reader:
    """Reads a message's attributes; those of a topic's notification stand in its body, unless delivered raw."""
    attributes = Attributes(message.get("MessageAttributes"))
    body = message.get("Body")
    if not attributes.get("traceparent") and isinstance(body, str) and body.startswith("{") and "Notification" in body:
        import json  # deferred: only what comes from a topic needs it

        try:
            told = json.loads(body).get("MessageAttributes")
        except ValueError:
            told = None
        if isinstance(told, dict):
            return reader({name: one.get("Value") for name, one in told.items() if isinstance(one, dict)})
    return reader(attributes)


def _take_out(message: dict[str, Any], added: tuple[str, ...], program_asked: bool) -> None:
    attributes = message.get("MessageAttributes")
    if not added or not isinstance(attributes, dict):
        return
    for name in added:
        attributes.pop(name, None)
    if not attributes:
        del message["MessageAttributes"]
        if not program_asked:
            message.pop("MD5OfMessageAttributes", None)
