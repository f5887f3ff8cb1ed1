"""Composition root: builds the services with their AWS clients, once for each Lambda environment."""

import os
from datetime import timedelta
from functools import cache

import boto3
from aws_lambda_powertools.utilities.parameters import SSMProvider
from botocore.config import Config

from contract.environment import ApiEnvironment, CompletionEnvironment
from jobs.aws.dynamodb import DynamoDBJobRepository
from jobs.aws.s3 import S3JobDocuments
from jobs.aws.sagemaker import SageMakerEndpoints
from jobs.catalog import ModelCatalog
from jobs.completion import CompletionService
from jobs.service import JobService


@cache
def job_service() -> JobService:
    """The service of the HTTP API, configured by the environment."""
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
def completion_service() -> CompletionService:
    """The service of the completion queue, configured by the environment."""
    environment = CompletionEnvironment.read(os.environ)
    return CompletionService(jobs=_repository(environment), documents=_documents(environment))


def _repository(environment: CompletionEnvironment) -> DynamoDBJobRepository:
    return DynamoDBJobRepository(boto3.resource("dynamodb").Table(environment.jobs_table_name))


def _documents(environment: CompletionEnvironment) -> S3JobDocuments:
    s3 = boto3.client("s3", config=Config(signature_version="s3v4"))  # for links to KMS-encrypted objects
    return S3JobDocuments(s3, environment.data_bucket_name)
