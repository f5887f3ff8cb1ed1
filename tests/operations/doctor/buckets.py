"""An S3 bucket of moto, with stubs for all other services."""

from typing import Any

from tests.operations.doctor.conftest import StubbedAws

STACK = "StableDiffusion-dev-Storage"


class MotoBucket:
    """S3 is moto's; clients of other services are those of `stubs`."""

    region = "us-east-1"

    def __init__(self, s3: Any, stubs: StubbedAws, name: str) -> None:
        self.s3 = s3
        self.name = name
        self._stubs = stubs

    def client(self, service: str, region: str | None = None) -> Any:
        return self.s3 if service == "s3" else self._stubs.client(service, region)

    def put(self, files: dict[str, bytes], prefix: str) -> None:
        for path, content in files.items():
            self.s3.put_object(Bucket=self.name, Key=prefix + path, Body=content)


def stack_description(models_bucket: str | None, status: str = "CREATE_COMPLETE") -> dict[str, Any]:
    """The response of describe_stacks for the Storage stack; without a bucket for None."""
    outputs = [{"OutputKey": "DataBucketName", "OutputValue": "data"}]
    if models_bucket is not None:
        outputs.append({"OutputKey": "ModelsBucketName", "OutputValue": models_bucket})
    stack = {
        "StackName": STACK,
        "StackStatus": status,
        "CreationTime": "2026-01-01T00:00:00Z",
        "Outputs": outputs,
    }
    return {"Stacks": [stack]}
