"""The checks that a stage needs, in their order."""

from collections.abc import Iterator

import httpx2
from huggingface_hub import HfApi

from contract.source import HubSource
from infra.config import CognitoAuth, DeploymentConfig, DockerImage, RegistryImage
from operations.doctor.account import Account
from operations.doctor.adapters_in_s3 import AdaptersInS3
from operations.doctor.alarm_recipients import AlarmRecipients
from operations.doctor.api_gateway_logs import ApiGatewayLogs
from operations.doctor.aws import Aws
from operations.doctor.built_image import BuiltImage
from operations.doctor.certificate import Certificate
from operations.doctor.check import Check, SkippedError
from operations.doctor.fixed_names import FixedNames, fixed_names
from operations.doctor.machine import Docker
from operations.doctor.model_in_s3 import ModelFiles, ModelLoads, ModelLocation
from operations.doctor.model_on_hub import HubRepository, HubToken
from operations.doctor.permissions import DeploymentRoles
from operations.doctor.quotas import EndpointQuota, EndpointQuotas, QuotaToRequest, instances_needed
from operations.doctor.registry_image import ImageInRegistry
from operations.doctor.sign_in_page import SignInPage
from operations.doctor.stacks import StageStacks

_TIMEOUT_S = 20


def checks_without_account(config: DeploymentConfig) -> list[Check]:
    """The stage's checks that need no AWS account."""
    alarms = AlarmRecipients(config.alarms)
    match config.image:
        case RegistryImage():
            return [alarms]
        case DockerImage():
            return [alarms, BuiltImage(config.image), Docker()]
        case _:
            return [alarms, BuiltImage(config.image)]


def quotas_to_request(config: DeploymentConfig) -> list[Check]:
    """The quotas that the stage needs, in place of the checks of a known account's quotas."""
    return [QuotaToRequest(*needed) for needed in instances_needed(config.models).items()]


def checks_with_account(config: DeploymentConfig, aws: Aws, account: Account) -> list[Check]:
    """The stage's checks that need the AWS account."""
    publishers = ("image-publishing",) if isinstance(config.image, DockerImage) else ()
    checks: list[Check] = [DeploymentRoles(aws, account, ("deploy", "file-publishing", *publishers))]
    quotas = EndpointQuotas(aws)
    checks += [
        EndpointQuota(quotas, account, instance_type, needed)
        for instance_type, needed in instances_needed(config.models).items()
    ]
    checks += [
        StageStacks(aws, config.stage),
        FixedNames(aws, tuple(fixed_names(config))),
        ApiGatewayLogs(aws),
        *_domain_checks(config, aws),
    ]
    if isinstance(config.image, RegistryImage):
        checks.append(ImageInRegistry(aws, account, config.image, _fetch))
    return checks + _model_checks(config, aws)


def _domain_checks(config: DeploymentConfig, aws: Aws) -> Iterator[Check]:
    """The checks of what the domain names of the API and of the page need."""
    page, auth = config.page, config.api.auth
    domains = {"api.domain": config.api.domain, "web.domain": page.domain if page else None}
    for setting, domain in domains.items():
        if domain is not None:
            yield Certificate(aws, setting, domain.name, domain.certificate_arn)
    if page and page.sign_in and isinstance(auth, CognitoAuth):
        yield SignInPage(aws, page.sign_in, auth.user_pool_arn)


def _model_checks(config: DeploymentConfig, aws: Aws) -> list[Check]:
    sources = [model.source for model in config.served]
    secrets = [source.token_secret_arn for source in sources if isinstance(source, HubSource)]
    checks: list[Check] = [HubToken(aws, arn) for arn in dict.fromkeys(secrets) if arn]
    for model in config.served:
        if isinstance(model.source, HubSource):
            checks.append(HubRepository(aws, _hub_client, model, model.source))
        else:
            is_companion = model not in config.models
            location = ModelLocation(aws, config.stage, model, model.source, is_companion)
            checks += [ModelFiles(location), ModelLoads(location)]
    return [*checks, AdaptersInS3(aws, config.stage)]


def _hub_client(token: str | None) -> HfApi:
    return HfApi(token=token or False)  # False disables the token of the user who runs the doctor


def _fetch(url: str) -> bytes:
    try:
        return httpx2.get(url, timeout=_TIMEOUT_S).raise_for_status().content
    except httpx2.HTTPError as error:
        raise SkippedError(f"the image's configuration cannot be downloaded: {error}") from error
