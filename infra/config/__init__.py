"""What a stage in cdk.json may say: one typed, frozen object for the whole deployment."""

from infra.config.alarms import AlarmsConfig
from infra.config.api import ApiConfig, ApiKeyAuth, CognitoAuth, IamAuth
from infra.config.base import InvalidConfigurationError
from infra.config.deployment import DeploymentConfig
from infra.config.image import CodeBuildImage, DockerImage, RegistryImage
from infra.config.model import HubModel, ModelConfig, S3Model, ScalingConfig, ScheduledMinimum
from infra.config.network import ExistingNetwork, IsolatedNetwork, PublicNetwork

__all__ = [
    "AlarmsConfig",
    "ApiConfig",
    "ApiKeyAuth",
    "CodeBuildImage",
    "CognitoAuth",
    "DeploymentConfig",
    "DockerImage",
    "ExistingNetwork",
    "HubModel",
    "IamAuth",
    "InvalidConfigurationError",
    "IsolatedNetwork",
    "ModelConfig",
    "PublicNetwork",
    "RegistryImage",
    "S3Model",
    "ScalingConfig",
    "ScheduledMinimum",
]
