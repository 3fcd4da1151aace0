"""botocore, and boto3 upon it: every operation of every service goes through one method of the client."""

from __future__ import annotations

from remora.conventions.aws import AwsCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher


def patch(client: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(client.BaseClient, "_make_api_call", reads=request, ends=answer)


def request(client: Any, operation_name: str, api_params: Any, *_: object, **__: object) -> AwsCall:
    """The describer of ``_make_api_call(self, operation_name, api_params)``."""
    meta = client.meta
    service = meta.service_model.service_id
    return AwsCall(service, operation_name, api_params, region=meta.region_name, endpoint=meta.endpoint_url)


def answer(call: AwsCall, parsed: object) -> None:
    """Reads what the operation returned."""
    call.answer = parsed
