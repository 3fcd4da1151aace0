"""botocore, and boto3 upon it: every operation of every service goes through one method of the client.

Operations on messages of SQS and SNS are told by the messaging conventions. Only the end of a receive tells whether
there is anything to tell, so it is patched where the client's method for it is made.
"""

from __future__ import annotations

import inspect

from remora.conventions import aws_messaging
from remora.conventions.aws import AwsCall
from remora.conventions.call import HTTP_CLIENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.aws_messaging import AwsSendCall, AwsSettleCall


def patch(client: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(client.BaseClient, "_make_api_call", reads=request, ends=answer, streams=True)
    patch_receive(client.ClientCreator, patcher, awaited=False)


def patch_receive(creator: Any, patcher: Patcher, *, awaited: bool) -> None:
    """Patches what ``creator``, a class, makes for ``ReceiveMessage``; ``awaited`` where it returns a coroutine."""

    def made(original: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        method = original(*args, **kwargs)
        if aws_messaging.RECEIVE_MESSAGE not in (*args, *kwargs.values()):
            return method
        if inspect.iscoroutinefunction(instance.create_client) != awaited:
            return method  # aiobotocore's creator is one of botocore's
        return patcher.received(method, reads=read, asks=asking, covers=HTTP_CLIENT, awaited=awaited)

    propagation = patcher.operations.propagation

    def asking(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        added = aws_messaging.unasked(kwargs, propagation.awaited)
        if not added:
            return args, kwargs
        return args, {**kwargs, "MessageAttributeNames": [*(kwargs.get("MessageAttributeNames") or ()), *added]}

    def read(result: Any, exception: BaseException | None, client: Any, *_: object, **parameters: Any) -> Any:
        added = aws_messaging.unasked(parameters, propagation.awaited)
        return aws_messaging.received(parameters, result, added, endpoint=client.meta.endpoint_url)

    patcher.around_method(creator, "_create_api_method", made)


def request(
    client: Any, operation_name: Any, api_params: Any, *_: object, **__: object
) -> AwsCall | AwsSendCall | AwsSettleCall:
    """The describer of ``_make_api_call(self, operation_name, api_params)``."""
    meta = client.meta
    service = meta.service_model.service_id
    call = aws_messaging.operation(service, operation_name, api_params, endpoint=meta.endpoint_url)
    return call or AwsCall(service, operation_name, api_params, region=meta.region_name, endpoint=meta.endpoint_url)


def answer(call: AwsCall | AwsSendCall | AwsSettleCall, parsed: object) -> None:
    """Reads what the operation returned."""
    call.answer = parsed
