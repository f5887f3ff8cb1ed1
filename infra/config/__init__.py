"""The configuration of a stage in cdk.json, as typed and frozen objects."""

from infra.config.alarms import AlarmsConfig
from infra.config.api import ApiConfig, ApiKeyAuth, CognitoAuth, DomainConfig, IamAuth
from infra.config.base import InvalidConfigurationError
from infra.config.deployment import DeploymentConfig
from infra.config.environment import EnvironmentConfig
from infra.config.image import CodeBuildImage, DockerImage, RegistryImage
from infra.config.model import ModelConfig, SafetyConfig, ScalingConfig, ScheduledMinimum
from infra.config.network import ExistingNetwork, IsolatedNetwork, PublicNetwork
from infra.config.web import SignInConfig, WebConfig, WebDomainConfig

__all__ = [
    "AlarmsConfig",
    "ApiConfig",
    "ApiKeyAuth",
    "CodeBuildImage",
    "CognitoAuth",
    "DeploymentConfig",
    "DockerImage",
    "DomainConfig",
    "EnvironmentConfig",
    "ExistingNetwork",
    "IamAuth",
    "InvalidConfigurationError",
    "IsolatedNetwork",
    "ModelConfig",
    "PublicNetwork",
    "RegistryImage",
    "SafetyConfig",
    "ScalingConfig",
    "ScheduledMinimum",
    "SignInConfig",
    "WebConfig",
    "WebDomainConfig",
]
