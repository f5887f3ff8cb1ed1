"""Composition root: builds the services with their AWS clients, once for each Lambda environment."""

import os
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.credentials import RefreshableCredentials

from contract.environment import (
    ApiEnvironment,
    CompletionEnvironment,
    ModelEndpoint,
    ReconcilerEnvironment,
)
from jobs.adapters import AdapterCatalog
from jobs.aws import s3, s3_adapters
from jobs.aws.dynamodb import DynamoDBJobRepository
from jobs.aws.dynamodb_estimates import DynamoDBEstimates
from jobs.aws.dynamodb_settings import DynamoDBSettings
from jobs.aws.s3 import S3JobDocuments
from jobs.aws.s3_adapters import S3AdapterObjects
from jobs.aws.sagemaker import SageMakerEndpoints
from jobs.aws.secrets import SecretsManagerSigningKeys
from jobs.aws.sqs import SqsWebhookQueue
from jobs.catalog import ModelCatalog
from jobs.changes import JobChanges
from jobs.compatibility.automatic1111.ports import SettingsStore
from jobs.compatibility.openai.models import ModelNames
from jobs.completion import CompletionService
from jobs.estimation import EstimationService
from jobs.input_access import InputAccess
from jobs.invoker import Invoker
from jobs.ports import SigningKeys
from jobs.reconciliation import Reconciler
from jobs.service import JobService
from jobs.submission import SubmissionService
from jobs.synchronous import SynchronousService

_NO_RETRIES = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=10)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@cache
def session() -> botocore.session.Session:
    """The session of all clients."""
    return botocore.session.get_session()


def client(service: str, config: Config | None = None) -> Any:
    """A client of an AWS service."""
    return session().create_client(service, config=config)


class _Parts:
    """The parts that several services have in common."""

    def __init__(self, environment: CompletionEnvironment, *, shared: bool = True) -> None:
        """Builds the parts.

        Args:
            environment: the function's environment.
            shared: see `ApiEnvironment`; only the API's function creates and lists jobs.
        """
        dynamodb = client("dynamodb")
        self.endpoints: dict[str, ModelEndpoint] = {
            each.model.name: each for each in environment.model_endpoints
        }
        self.jobs = DynamoDBJobRepository(dynamodb, environment.jobs_table_name, shared=shared)
        self.estimates = DynamoDBEstimates(dynamodb, environment.estimates_table_name)
        self.documents = S3JobDocuments(
            client("s3", s3.CLIENT), environment.data_bucket_name, credentials_end=_credentials_end
        )
        webhooks = SqsWebhookQueue(client("sqs"), environment.webhook_queue_url)
        self.changes = JobChanges(jobs=self.jobs, webhooks=webhooks)
        self.completion = CompletionService(
            jobs=self.jobs,
            documents=self.documents,
            estimates=self.estimates,
            changes=self.changes,
            endpoints=self.endpoints,
            clock=_utc_now,
        )

    def invocations(self) -> SageMakerEndpoints:
        """The endpoints, for the functions that may invoke them."""
        return SageMakerEndpoints(
            runtime=client("sagemaker-runtime", _NO_RETRIES),
            sagemaker=client("sagemaker"),
            ssm=client("ssm"),
            endpoints=self.endpoints,
        )

    def invoker(self, invocations: SageMakerEndpoints) -> Invoker:
        """Submits jobs."""
        return Invoker(
            invocations=invocations, changes=self.changes, endpoints=self.endpoints, clock=_utc_now
        )


@cache
def job_service() -> JobService:
    """The service of the HTTP API, configured by the environment."""
    environment = ApiEnvironment.read(os.environ)
    parts = _Parts(environment, shared=environment.shared_jobs)
    invocations = parts.invocations()
    catalog = ModelCatalog([each.model for each in environment.model_endpoints], environment.default_model)
    inputs = InputAccess(bucket=environment.data_bucket_name, shared=environment.shared_jobs, jobs=parts.jobs)
    return JobService(
        catalog=catalog,
        jobs=parts.jobs,
        documents=parts.documents,
        changes=parts.changes,
        submissions=SubmissionService(
            catalog=catalog,
            jobs=parts.jobs,
            documents=parts.documents,
            invoker=parts.invoker(invocations),
            inputs=inputs,
            endpoints=parts.endpoints,
            output_prefixes=environment.output_prefixes,
            retention=timedelta(days=environment.retention_days),
            clock=_utc_now,
        ),
        completion=parts.completion,
        estimation=EstimationService(
            jobs=parts.jobs,
            estimates=parts.estimates,
            invocations=invocations,
            endpoints=parts.endpoints,
            clock=_utc_now,
        ),
        inputs=inputs,
        data_bucket_name=environment.data_bucket_name,
        shared=environment.shared_jobs,
    )


@cache
def synchronous_service() -> SynchronousService:
    """The service of requests that wait for their images."""
    limit_s = ApiEnvironment.read(os.environ).wait_s
    return SynchronousService(service=job_service(), limit_s=limit_s, clock=time.monotonic, sleep=time.sleep)


@cache
def settings_store() -> SettingsStore:
    """The settings of the callers of AUTOMATIC1111's API, configured by the environment."""
    table = ApiEnvironment.read(os.environ).jobs_table_name
    return DynamoDBSettings(client("dynamodb"), table, clock=_utc_now)


@cache
def adapters() -> AdapterCatalog:
    """The adapters in the models bucket, configured by the environment."""
    bucket = ApiEnvironment.read(os.environ).models_bucket_name
    return AdapterCatalog(S3AdapterObjects(client("s3", s3_adapters.CLIENT), bucket))


@cache
def signing_keys() -> SigningKeys:
    """The keys that sign cursors, configured by the environment."""
    environment = ApiEnvironment.read(os.environ)
    return SecretsManagerSigningKeys(client("secretsmanager"), environment.signing_secret_arn)


@cache
def allowed_origins() -> tuple[str, ...]:
    """The origins of pages on other hosts, configured by the environment."""
    return ApiEnvironment.read(os.environ).allowed_origins


@cache
def model_names() -> ModelNames:
    """The models by the names that OpenAI's clients use, configured by the environment."""
    return ModelNames(job_service().catalog, ApiEnvironment.read(os.environ).model_aliases)


@cache
def completion_service() -> CompletionService:
    """The service of the completion queue, configured by the environment."""
    return _Parts(CompletionEnvironment.read(os.environ)).completion


@cache
def reconciler() -> Reconciler:
    """The reconciler, configured by the environment."""
    parts = _Parts(ReconcilerEnvironment.read(os.environ))
    invocations = parts.invocations()
    return Reconciler(
        jobs=parts.jobs,
        invocations=invocations,
        estimates=parts.estimates,
        completion=parts.completion,
        changes=parts.changes,
        invoker=parts.invoker(invocations),
        endpoints=parts.endpoints,
        clock=_utc_now,
    )


@cache
def stage() -> str:
    """The stage's name, from the reconciler's environment."""
    return ReconcilerEnvironment.read(os.environ).stage


def _credentials_end() -> datetime | None:
    """When the credentials that sign now expire; None if they do not, or if it is not known.

    It is known in functions with SnapStart, whose credentials come from an endpoint. Those in a function's
    environment variables have no end that the function could read.
    """
    credentials = session().get_credentials()
    if not isinstance(credentials, RefreshableCredentials):
        return None
    credentials.get_frozen_credentials()  # replaces those that are about to expire, as signing does
    end: datetime | None = getattr(credentials, "_expiry_time", None)
    return end
