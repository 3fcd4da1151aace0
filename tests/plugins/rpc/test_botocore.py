"""botocore, and boto3 upon it"""

from __future__ import annotations

import boto3
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from plugins.rpc.aws_contract import ACCESS_KEY, REGION, SECRET_KEY, TOKEN, AwsContract, aws

__all__ = ["aws"]

CREDENTIALS = {
    "region_name": REGION,
    "aws_access_key_id": ACCESS_KEY,
    "aws_secret_access_key": SECRET_KEY,
    "aws_session_token": TOKEN,
}


def client(session, url, service, handlers=None, retries=None):
    config = Config(s3={"addressing_style": "path"}, retries=retries or {"max_attempts": 2, "mode": "standard"})
    made = getattr(session, "client", None) or session.create_client
    found = made(service, endpoint_url=url, config=config, **CREDENTIALS)
    for event, handler in (handlers or {}).items():
        found.meta.events.register(event, handler)
    return found


class TestBotocore(AwsContract):
    session = staticmethod(botocore.session.get_session)

    def run(self, url, service, *calls, **options):
        calling = client(self.session(), url, service, **options)
        result = None
        for operation, parameters in calls:
            result = getattr(calling, operation)(**parameters)
        return result

    def test_retries_are_counted_by_the_one_span(self, spans, aws):
        answers = [503, 503]

        def overloaded(request, **_):
            return AWSResponse(request.url, answers.pop(), {}, Raw()) if answers else None

        class Raw:
            def stream(self, *_, **__):
                return iter([b""])

        retries = {"max_attempts": 3, "mode": "standard"}
        self.run(aws, "s3", ("list_buckets", {}), handlers={"before-send.s3": overloaded}, retries=retries)
        span = self.only(spans)
        assert span.attributes["http.request.resend_count"] == 2
        assert (span.attributes["http.response.status_code"], span.status) == (200, "UNSET")

    def test_other_http_of_the_program_is_traced_as_ever(self, spans, aws):
        import urllib.request

        self.run(aws, "s3", ("list_buckets", {}))
        with urllib.request.urlopen(f"{aws}/moto-api/", timeout=5) as answer:
            answer.read()
        assert [span.name for span in spans] == ["S3.ListBuckets", "GET"]


class TestBoto3(TestBotocore):
    session = boto3.session.Session

    def test_a_resource_is_traced_by_its_calls(self, spans, aws):
        bucket = boto3.session.Session().resource("s3", endpoint_url=aws, **CREDENTIALS).Bucket("two")
        bucket.create(CreateBucketConfiguration={"LocationConstraint": REGION})
        assert list(bucket.objects.all()) == []
        assert [span.attributes["aws.s3.bucket"] for span in spans] == ["two", "two"]
