"""The environment variables of each deployable: infra writes them, the runtime reads them."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from inference.contract.model import ModelDeclaration


class InvalidEnvironmentError(RuntimeError):
    """The process was started with variables missing or wrong; the message names them all."""


def _from_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


class Environment(BaseModel):
    """Variables by field: `data_bucket_name` is DATA_BUCKET_NAME. Structured fields travel as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def variables(self) -> dict[str, str]:
        """The variables to set; a field at its default needs none."""
        fields = self.model_dump(mode="json", exclude_defaults=True)
        return {
            name.upper(): value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
            for name, value in fields.items()
        }

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """What `environ` says.

        Raises:
            InvalidEnvironmentError: variables are missing or wrong.
        """
        present = {name: environ[name.upper()] for name in cls.model_fields if name.upper() in environ}
        try:
            return cls.model_validate(present)
        except ValidationError as error:
            faults = [f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
            raise InvalidEnvironmentError("environment variables: " + "; ".join(faults)) from error


class ContainerEnvironment(Environment):
    """What the inference container is told."""

    model: Annotated[ModelDeclaration, BeforeValidator(_from_json)]
    data_bucket_name: str
    model_directory: str = "/opt/ml/model"
    bind_host: str = "0.0.0.0"  # noqa: S104 - SageMaker reaches the container from outside it
    sagemaker_bind_to_port: int = 8080
    max_input_image_bytes: int = Field(default=25 * 1024 * 1024)
    max_input_image_pixels: int = Field(default=50_000_000)


class ModelEndpoint(BaseModel):
    """A model and the endpoint that serves it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelDeclaration
    endpoint_name: str


class CompletionEnvironment(Environment):
    """What the completion function is told."""

    jobs_table_name: str
    data_bucket_name: str
    powertools_service_name: str


class ApiEnvironment(CompletionEnvironment):
    """What the function behind the HTTP API is told."""

    model_endpoints: Annotated[tuple[ModelEndpoint, ...], BeforeValidator(_from_json)] = Field(min_length=1)
    default_model: str
    retention_days: int = Field(default=30, ge=1)
