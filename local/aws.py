"""The emulated cloud's address and credentials: nothing here can reach a real account."""

import os
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

ACCOUNT = "000000000000"
REGION = "us-east-1"
_KEY = "test"


@dataclass(frozen=True)
class LocalAws:
    """Where the emulated services answer.

    Attributes:
        url: of every service but SageMaker's runtime.
        sagemaker_runtime_url: of SageMaker's runtime.
    """

    url: str
    sagemaker_runtime_url: str

    def client(self, service: str) -> Any:
        """A boto3 client of an emulated service, whatever this process's own environment says."""
        url = self.sagemaker_runtime_url if service == "sagemaker-runtime" else self.url
        create: Any = boto3.client
        return create(
            service,
            endpoint_url=url,
            region_name=REGION,
            aws_access_key_id=_KEY,
            aws_secret_access_key=_KEY,
            config=Config(retries={"total_max_attempts": 3}),
        )

    def environment(self) -> dict[str, str]:
        """This process's environment, with everything of AWS in it replaced."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return own | {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": self.sagemaker_runtime_url,
            "AWS_ACCESS_KEY_ID": _KEY,
            "AWS_SECRET_ACCESS_KEY": _KEY,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
