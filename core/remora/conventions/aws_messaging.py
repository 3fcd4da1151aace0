"""Amazon SQS and SNS: their operations on messages, and how a trace travels in the attributes of a message.

HTTP beneath them, retries included, is part of them.
"""

from __future__ import annotations

from remora.conventions import keys
from remora.conventions.call import HTTP_CLIENT
from remora.conventions.messaging import MessagingCall, ReceiveCall, SendCall, SettleCall, reader
from remora.conventions.url_cy import DEFAULT_PORTS, host_and_port
from remora.conventions.values_cy import exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
    from typing import Any, Final

    from remora.conventions.messaging import Reader

SQS: Final = "aws_sqs"
SNS: Final = "aws.sns"
RECEIVE_MESSAGE: Final = "ReceiveMessage"

_MAX_ATTRIBUTES = 10  # of one message; a queue behind a topic with raw delivery drops what has more
_MAX_SIZES_BYTES = (262_144, 1_048_576)  # of a request's bodies and attributes: what it was, and what it is
_SMALL_CHARS = 40_000  # what no encoding makes as large as that
_ROOM_BYTES = 10_000  # for a trace: baggage alone may take 8192
_W3C = ("traceparent", "tracestate", "baggage")


class Attributes:
    """A message's attributes as a carrier of texts; a copy, so that the program's own stay as they are."""

    __slots__ = ("full", "of")

    def __init__(self, attributes: object, *, full: bool = False) -> None:
        self.of: dict[str, Any] = dict(attributes) if isinstance(attributes, dict) else {}
        self.full = full

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
        if value and (name in self.of or not (self.full or len(self.of) >= _MAX_ATTRIBUTES)):
            self.of[name] = {"DataType": "String", "StringValue": value}


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
    """``SendMessage`` and ``Publish``, and those of a batch."""

    __slots__ = ("answer",)


class AwsReceiveCall(_Api, ReceiveCall):
    """``ReceiveMessage``."""

    __slots__ = ("answer",)


class AwsSettleCall(_Api, SettleCall):
    """Deleting a message is how SQS is told that it was processed; until when it is hidden is part of that."""

    __slots__ = ("answer",)


def operation(
    service: object, name: object, parameters: object, *, endpoint: object = None
) -> AwsSendCall | AwsSettleCall | None:
    """The record of an operation on messages, but for receiving; None for all others.

    ``parameters`` are as the API has them. ``arguments`` of a record that sends give a copy with a trace in it.
    """
    of_service = _OPERATIONS.get(exact_text(service) or "")
    if of_service is None or not isinstance(parameters, dict):
        return None
    made = of_service.get(exact_text(name) or "")
    return None if made is None else made(str(name), parameters, endpoint)


def received(parameters: Mapping[str, Any], answer: object, added: tuple[str, ...], *, endpoint: object) -> Any:
    """The record of a ``ReceiveMessage`` that is over; None when no message came. ``answer`` is None if it failed.

    The attributes ``added``, for which the program had not asked, are taken out of the answer.
    """
    messages = answer.get("Messages") if isinstance(answer, dict) else ()
    if answer is not None and not messages:
        return None
    found = [message for message in messages or () if isinstance(message, dict)]
    call = AwsReceiveCall(
        SQS, RECEIVE_MESSAGE, _last(parameters.get("QueueUrl"), "/"), readers=[_reader(message) for message in found]
    )
    _located(call, endpoint, keys.AWS_SQS_QUEUE_URL, parameters.get("QueueUrl"))
    call.count = len(found)
    if len(found) == 1:
        call.message_id = found[0].get("MessageId")
    call.answer = answer
    for message in found:
        _take_out(message, added, bool(parameters.get("MessageAttributeNames")))
    return call


def unasked(parameters: Mapping[str, Any], awaited: Iterable[str] | None) -> tuple[str, ...]:
    """The attributes to ask for besides those that the program wants; ``awaited`` are those of the propagators."""
    asked = parameters.get("MessageAttributeNames") or ()
    if not isinstance(asked, (list, tuple)):
        return ()
    prefixes = tuple(name[:-2] for name in asked if isinstance(name, str) and name.endswith(".*"))
    if "All" in asked or "" in prefixes:
        return ()
    names = _W3C if awaited is None else (*awaited, "tracestate")
    return tuple(name for name in dict.fromkeys(names) if name not in asked and not name.startswith(prefixes))


def _sent(text_at: str, target_at: str, system: str, separator: str, key: str) -> Callable[..., AwsSendCall | None]:
    def one(name: str, parameters: dict[str, Any], endpoint: object) -> AwsSendCall | None:
        target = parameters.get(target_at)
        if system == SNS and target is None:
            target = parameters.get("TargetArn")
            if target is None or ":endpoint/" in str(target):
                return None  # to one telephone or device
        carrier = Attributes(parameters.get("MessageAttributes"), full=not _has_room((parameters,), text_at))
        call = _send(system, name, _last(target, separator), (carrier,))
        _located(call, endpoint, key, target)
        call.instead = ({**parameters, "MessageAttributes": carrier.of}, [parameters])  # type: ignore[assignment]
        return call

    return one


def _sent_batch(
    entries_at: str, text_at: str, target_at: str, system: str, separator: str, key: str
) -> Callable[..., AwsSendCall | None]:
    def batch(name: str, parameters: dict[str, Any], endpoint: object) -> AwsSendCall | None:
        entries = parameters.get(entries_at)
        if not isinstance(entries, (list, tuple)) or not all(isinstance(entry, dict) for entry in entries):
            return None  # which botocore refuses
        full = not _has_room(entries, text_at)
        carriers = [Attributes(entry.get("MessageAttributes"), full=full) for entry in entries]
        target = parameters.get(target_at)
        call = _send(system, name, _last(target, separator), carriers)
        _located(call, endpoint, key, target)
        call.count = len(entries)
        return call

    return batch


def _reader(message: dict[str, Any]) -> Reader:
    raise NotImplementedError
