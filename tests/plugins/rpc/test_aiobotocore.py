"""aiobotocore"""

from __future__ import annotations

import asyncio

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from plugins.rpc.aws_contract import ACCESS_KEY, REGION, SECRET_KEY, TOKEN, AwsContract, aws

__all__ = ["aws"]


class TestAiobotocore(AwsContract):
    def run(self, url, service, *calls, handlers=None, retries=None):
        async def running():
            config = AioConfig(s3={"addressing_style": "path"}, retries=retries or {"max_attempts": 2})
            made = get_session().create_client(
                service,
                region_name=REGION,
                endpoint_url=url,
                config=config,
                aws_access_key_id=ACCESS_KEY,
                aws_secret_access_key=SECRET_KEY,
                aws_session_token=TOKEN,
            )
            async with made as client:
                for event, handler in (handlers or {}).items():
                    client.meta.events.register(event, handler)
                result = None
                for operation, parameters in calls:
                    result = await getattr(client, operation)(**parameters)
                return result

        return asyncio.run(running())

    def test_calls_at_once_never_mix(self, spans, aws):
        async def asking(number):
            async with get_session().create_client(
                "s3", region_name=REGION, endpoint_url=aws, aws_access_key_id=ACCESS_KEY, aws_secret_access_key="x"
            ) as client:
                from opentelemetry import trace

                with trace.get_tracer("test").start_as_current_span(f"around {number}"):
                    await client.list_buckets()

        async def running():
            await asyncio.gather(*map(asking, range(5)))

        asyncio.run(running())
        arounds = spans.of_kind("INTERNAL")
        assert len(arounds) == 5
        assert all(len(spans.children_of(span)) == 1 for span in arounds)
