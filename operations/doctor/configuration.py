"""The stage in cdk.json."""

from pathlib import Path
from typing import TYPE_CHECKING

from operations.doctor.check import Finding, failed, passed
from operations.stages import CdkJsonError, read_context

if TYPE_CHECKING:
    from infra.config import DeploymentConfig


class Configuration:
    """cdk.json has the stage, and everything in it is valid."""

    name = "configuration"

    def __init__(self, stage: str, root: Path) -> None:
        """Looks for the stage in `root`/cdk.json."""
        self._stage = stage
        self._root = root
        self.config: DeploymentConfig | None = None
        """Known once the check has passed."""

    def run(self) -> Finding:
        """See `Check.run`."""
        from infra.config import DeploymentConfig, InvalidConfigurationError  # starts Node, if it is there

        try:
            self.config = DeploymentConfig.of_stage(self._stage, read_context(self._root)["stages"])
        except InvalidConfigurationError as error:
            return failed(" ".join(str(error).split()), "correct cdk.json")
        except CdkJsonError as error:
            return failed(str(error), "restore it: git restore cdk.json")
        models = ", ".join(
            f"{model.name} on {'/'.join(model.instance_types)}" for model in self.config.models
        )
        return passed(f"stage {self._stage}: {models}")
