"""Which checks a stage's configuration calls for, in their order."""

import httpx2
from huggingface_hub import HfApi

from contract.source import HubSource
from infra.config import DeploymentConfig, DockerImage, RegistryImage
from operations.doctor.account import Account
from operations.doctor.adapters_in_s3 import AdaptersInS3
from operations.doctor.aws import Aws
from operations.doctor.built_image import BuiltImage
from operations.doctor.check import Check, SkippedError
from operations.doctor.machine import Docker
from operations.doctor.model_in_s3 import ModelFiles, ModelLocation, ModelWeights
from operations.doctor.model_on_hub import HubRepository, HubToken
from operations.doctor.permissions import DeploymentRoles
from operations.doctor.quotas import EndpointQuota, EndpointQuotas, instances_needed
from operations.doctor.registry_image import ImageInRegistry

_TIMEOUT_S = 20


def checks_without_account(config: DeploymentConfig) -> list[Check]:
    """What can be seen from this machine alone."""
    match config.image:
        case RegistryImage():
            return []
        case DockerImage():
            return [BuiltImage(config.image), Docker()]
        case _:
            return [BuiltImage(config.image)]


def checks_of_account(config: DeploymentConfig, aws: Aws, account: Account) -> list[Check]:
    """What the account has for the stage."""
    publishers = ("image-publishing",) if isinstance(config.image, DockerImage) else ()
    checks: list[Check] = [DeploymentRoles(aws, account, ("deploy", "file-publishing", *publishers))]
    quotas = EndpointQuotas(aws)
    checks += [
        EndpointQuota(quotas, account, instance_type, needed)
        for instance_type, needed in instances_needed(config.models).items()
    ]
    if isinstance(config.image, RegistryImage):
        checks.append(ImageInRegistry(aws, account, config.image, _fetch))
    return checks + _checks_of_models(config, aws)


def _checks_of_models(config: DeploymentConfig, aws: Aws) -> list[Check]:
    sources = [model.source for model in config.served]
    secrets = [source.token_secret_arn for source in sources if isinstance(source, HubSource)]
    checks: list[Check] = [HubToken(aws, arn) for arn in dict.fromkeys(secrets) if arn]
    for model in config.served:
        if isinstance(model.source, HubSource):
            checks.append(HubRepository(aws, _hub, model.name, model.source))
        else:
            location = ModelLocation(aws, config.stage, model.name, model.source)
            checks += [ModelFiles(location), ModelWeights(location)]
    return [*checks, AdaptersInS3(aws, config.stage)]


def _hub(token: str | None) -> HfApi:
    return HfApi(token=token or False)  # False: not the token of whoever runs the doctor


def _fetch(url: str) -> bytes:
    try:
        return httpx2.get(url, timeout=_TIMEOUT_S).raise_for_status().content
    except httpx2.HTTPError as error:
        raise SkippedError(f"the image's configuration cannot be fetched: {error}") from error
