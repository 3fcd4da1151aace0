"""Remote procedure calls: gRPC and the APIs of Amazon Web Services."""

from __future__ import annotations

from remora.api import Instrumentation, hookimpl

_PATCHES = "remora_plugins.rpc"


@hookimpl
def instrumentations() -> list[Instrumentation]:
    return [
        Instrumentation(
            "grpc-client",
            supports=("grpcio>=1.60,<2",),
            hooks={"grpc._channel": f"{_PATCHES}.grpc_client:patch"},
            convention="rpc.client",
        ),
        Instrumentation(
            "grpc-server",
            supports=("grpcio>=1.60,<2",),
            hooks={"grpc._server": f"{_PATCHES}.grpc_server:patch"},
            convention="rpc.server",
        ),
        Instrumentation(
            "grpc-aio-client",
            supports=("grpcio>=1.60,<2",),
            hooks={"grpc.aio._call": f"{_PATCHES}.grpc_aio_client:patch"},
            convention="rpc.client",
        ),
        Instrumentation(
            "grpc-aio-server",
            supports=("grpcio>=1.60,<2",),
            hooks={"grpc.aio._server": f"{_PATCHES}.grpc_aio_server:patch"},
            convention="rpc.server",
        ),
        Instrumentation(
            "botocore",
            supports=("botocore>=1.23,<2",),
            hooks={"botocore.client": f"{_PATCHES}.botocore:patch"},
            convention="rpc.client",
            doc="boto3, too",
        ),
        Instrumentation(
            "aiobotocore",
            supports=("aiobotocore>=2.0,<4",),
            hooks={"aiobotocore.client": f"{_PATCHES}.aiobotocore:patch"},
            convention="rpc.client",
        ),
    ]
