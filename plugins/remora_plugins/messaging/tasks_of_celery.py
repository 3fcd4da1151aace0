"""What a message says of the Celery task in it. The conventions have no name for a task, so it is Celery's own."""

from __future__ import annotations

from remora.conventions.values_cy import exact_int, exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from remora.conventions.messaging import MessagingCall

TASK_NAME = "celery.task.name"
TASK_RETRIES = "celery.task.retries"
TASK_STATE = "celery.task.state"


def is_task(headers: Any) -> bool:
    """Whether headers are those of a task by Celery's protocol 2."""
    return isinstance(headers, dict) and "task" in headers and "id" in headers and "root_id" in headers


def drop_context(headers: dict[str, Any]) -> None:
    """Takes out the context of another message."""
    for name in [name for name in headers if exact_text(name) in ("traceparent", "tracestate")]:
        del headers[name]


def describe(call: MessagingCall, message: Any) -> None:
    """Adds the task's name, its id as the message's, and that of the first task of its workflow as the conversation's.

    ``message`` are the headers, or the request that a worker makes of them.
    """
    call.message_id = message.get("id")
    call.conversation_id = message.get("root_id")
    call.extra = dict(call.extra or {})
    if name := exact_text(message.get("task")):
        call.extra[TASK_NAME] = name
    if retries := exact_int(message.get("retries")):
        call.extra[TASK_RETRIES] = retries
