"""The one place where use cases and AWS meet."""

import os
from datetime import timedelta
from functools import cache

import boto3
from aws_lambda_powertools.utilities.parameters import SSMProvider
from botocore.config import Config

from contract.environment import ApiEnvironment, CompletionEnvironment
from jobs.catalog import ModelCatalog
from jobs.completion import Completion
from jobs.dynamodb import DynamoDBJobRepository
from jobs.s3 import S3JobDocuments
from jobs.sagemaker import SageMakerEndpoints
from jobs.service import JobService


@cache
def job_service() -> JobService:
    """The use cases behind the HTTP API, as the environment says."""
    environment = ApiEnvironment.read(os.environ)
    served = environment.model_endpoints
    return JobService(
        catalog=ModelCatalog([each.model for each in served], environment.default_model),
        jobs=_repository(environment),
        documents=_documents(environment),
        endpoints=SageMakerEndpoints(boto3.client("sagemaker-runtime"), SSMProvider(), served),
        data_bucket_name=environment.data_bucket_name,
        retention=timedelta(days=environment.retention_days),
    )


@cache
def completion() -> Completion:
    """The use case behind the completion queue, as the environment says."""
    environment = CompletionEnvironment.read(os.environ)
    return Completion(jobs=_repository(environment), documents=_documents(environment))


def _repository(environment: CompletionEnvironment) -> DynamoDBJobRepository:
    return DynamoDBJobRepository(boto3.resource("dynamodb").Table(environment.jobs_table_name))


def _documents(environment: CompletionEnvironment) -> S3JobDocuments:
    s3 = boto3.client("s3", config=Config(signature_version="s3v4"))  # links signed any other way are refused
    return S3JobDocuments(s3, environment.data_bucket_name)
