"""Address and credentials of the emulated AWS services; a real account is never reached."""

import os
import ssl
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ACCOUNT = "000000000000"
REGION = "us-east-1"


@dataclass(frozen=True)
class Credentials:
    """An access key; those of an assumed role have a session token."""

    key_id: str
    secret: str
    token: str | None = None


_ROOT = Credentials("test", "test")
"""The account's root user, to whom MiniStack applies no policies."""


@dataclass(frozen=True, kw_only=True)
class LocalAws:
    """The emulated AWS services and the credentials used with them.

    Attributes:
        url: endpoint URL of all services; with https they enforce IAM policies.
        certificate: the CA certificate for https.
        credentials: the caller's.
    """

    url: str
    certificate: Path | None = None
    credentials: Credentials = _ROOT

    def client(self, service: str, *, connections: int = 10, attempts: int = 3) -> Any:
        """A boto3 client that ignores this process's own AWS settings.

        Args:
            service: boto3's name of the service.
            connections: kept open for the threads that use the client.
            attempts: of a call that fails for a temporary reason.
        """
        create: Any = boto3.client
        return create(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.credentials.key_id,
            aws_secret_access_key=self.credentials.secret,
            aws_session_token=self.credentials.token,
            verify=None if self.certificate is None else str(self.certificate),
            config=Config(retries={"total_max_attempts": attempts}, max_pool_connections=connections),
        )

    def ssl_context(self) -> ssl.SSLContext:
        """The TLS settings for HTTP clients other than boto3."""
        return ssl.create_default_context(cafile=self.certificate)

    def assume_role(self, role_arn: str, session: str) -> "LocalAws":
        """The same services with temporary credentials of a role."""
        assumed = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session)["Credentials"]
        credentials = Credentials(assumed["AccessKeyId"], assumed["SecretAccessKey"], assumed["SessionToken"])
        return replace(self, credentials=credentials)

    def environment(self) -> dict[str, str]:
        """This process's environment with all AWS variables replaced by those of the emulated services."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        secure = {} if self.certificate is None else {"AWS_CA_BUNDLE": str(self.certificate)}
        session = {} if self.credentials.token is None else {"AWS_SESSION_TOKEN": self.credentials.token}
        return (
            own
            | {
                "AWS_ENDPOINT_URL": self.url,
                "AWS_ACCESS_KEY_ID": self.credentials.key_id,
                "AWS_SECRET_ACCESS_KEY": self.credentials.secret,
                "AWS_DEFAULT_REGION": REGION,
                "AWS_REGION": REGION,
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                "AWS_EC2_METADATA_DISABLED": "true",
            }
            | secure
            | session
        )
