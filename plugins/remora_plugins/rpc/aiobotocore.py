"""aiobotocore: botocore's client with the one method a coroutine function."""

from __future__ import annotations

from remora_plugins.rpc import botocore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from remora.api import Patcher


def patch(client: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(client.AioBaseClient, "_make_api_call", reads=botocore.request, ends=botocore.answer)
    botocore.patch_receive(client.AioClientCreator, patcher, awaited=True)
