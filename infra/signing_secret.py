"""The secret that signs webhook calls and list cursors."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.nag import acknowledge

_CHARACTERS = 64
"""Of 62 kinds: about 380 bits."""


class SigningSecret(Construct):
    """A secret in Secrets Manager, generated when the stage is deployed.

    Attributes:
        arn: of the secret.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.Key | None, removal_policy: cdk.RemovalPolicy
    ) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        secret = secretsmanager.Secret(
            self,
            "Secret",
            description="Signs webhook calls and list cursors.",
            # An imported view of the key: the account may use it already, without the statements of the CDK.
            encryption_key=key and kms.Key.from_key_arn(self, "Key", key.key_arn),
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=_CHARACTERS, exclude_punctuation=True
            ),
            removal_policy=removal_policy,
        )
        acknowledge(
            secret, {"SMG4": "Receivers of webhooks must be given a new secret, so operators rotate it."}
        )
        self.arn = secret.secret_arn

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Allows a function to read the secret's versions."""
        iam.Grant.add_to_principal(
            grantee=grantee, actions=["secretsmanager:GetSecretValue"], resource_arns=[self.arn]
        )
        if self._key:
            self._key.grant(grantee, "kms:Decrypt")
