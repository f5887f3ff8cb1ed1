"""Check of the stage in cdk.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from operations.doctor.check import CheckResult, failed, passed
from operations.stages import CdkJsonError, read_context
from operations.versions import BOOTSTRAP_QUALIFIER

if TYPE_CHECKING:
    from infra.config import DeploymentConfig

_QUALIFIER = "@aws-cdk/core:bootstrapQualifier"
"""The context variable of the CDK."""


class Configuration:
    """The stage exists in `root`/cdk.json and is valid.

    Attributes:
        config: the stage; None until the check has passed.
        qualifier: that of the bootstrap stack.
    """

    name = "configuration"

    def __init__(self, stage: str, root: Path) -> None:
        self._stage = stage
        self._root = root
        self.config: DeploymentConfig | None = None
        self.qualifier = BOOTSTRAP_QUALIFIER

    def run(self) -> CheckResult:
        """See `Check.run`."""
        from infra.config import DeploymentConfig, InvalidConfigurationError  # needs Node

        try:
            context = read_context(self._root)
            self.qualifier = context.get(_QUALIFIER, BOOTSTRAP_QUALIFIER)
            self.config = DeploymentConfig.for_stage(self._stage, context["stages"])
        except InvalidConfigurationError as error:
            return failed(" ".join(str(error).split()), "correct cdk.json or the name of the stage")
        except CdkJsonError as error:
            return failed(str(error), "restore the file: git restore cdk.json")
        models = ", ".join(
            f"{model.name} on {'/'.join(model.instance_types)}" for model in self.config.models
        )
        return passed(f"stage {self._stage}: {models}")
