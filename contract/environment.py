"""The environment variables of each deployable: infra writes them, the runtime reads them."""

import json
from collections.abc import Iterator, Mapping
from itertools import count, takewhile
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from contract.model import ModelDeclaration, ServedModel
from contract.safety import SafetyMode
from contract.source import HubSource, S3Source

_VALUE_BYTES = 1024
"""The most that SageMaker takes as a variable's value."""


class InvalidEnvironmentError(RuntimeError):
    """The process was started with variables missing or wrong; the message names them all."""


def _from_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


class Environment(BaseModel):
    """Variables by field: `data_bucket_name` is DATA_BUCKET_NAME.

    Structured fields travel as JSON, and what is too long for one variable goes on in NAME_2, NAME_3, ...
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    def variables(self) -> dict[str, str]:
        """The variables to set; a field at its default needs none."""
        fields = self.model_dump(mode="json", exclude_defaults=True)
        texts = {
            name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
            for name, value in fields.items()
        }
        return {variable: part for name, text in texts.items() for variable, part in _split(name, text)}

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """What `environ` says.

        Raises:
            InvalidEnvironmentError: variables are missing or wrong.
        """
        present = {name: _join(name, environ) for name in cls.model_fields if name.upper() in environ}
        try:
            return cls.model_validate(present)
        except ValidationError as error:
            faults = [f"{_variable(*e['loc'])}: {e['msg']}" for e in error.errors()]
            raise InvalidEnvironmentError("environment variables: " + "; ".join(faults)) from error


def _split(field: str, text: str) -> Iterator[tuple[str, str]]:
    """The variables of a field, with their values."""
    yield field.upper(), text[:_VALUE_BYTES]
    for number, start in enumerate(range(_VALUE_BYTES, len(text), _VALUE_BYTES), start=2):
        yield f"{field.upper()}_{number}", text[start : start + _VALUE_BYTES]


def _join(field: str, environ: Mapping[str, str]) -> str:
    """What `_split` has taken apart."""
    following = (f"{field.upper()}_{number}" for number in count(2))
    parts = (environ[variable] for variable in takewhile(environ.__contains__, following))
    return "".join((environ[field.upper()], *parts))


def _variable(field: str | int, *path: str | int) -> str:
    """The variable of a field and, in a structured one, the path to the fault."""
    return ".".join([str(field).upper(), *map(str, path)])


def _check_power_of_two(number: int) -> int:
    if number.bit_count() != 1:
        raise ValueError("must be a power of two")
    return number


MaxBatchSize = Annotated[int, Field(ge=1, le=64), AfterValidator(_check_power_of_two)]
"""The most images, of all jobs together, that share an evaluation of the denoiser; a power of two."""


class ContainerEnvironment(Environment):
    """What the inference container is told."""

    model: Annotated[ModelDeclaration, BeforeValidator(_from_json)]
    data_bucket_name: str
    models_bucket_name: str | None = None
    """Where adapters and companions lie; None offers none."""

    stage: str = "local"
    model_directory: str = "/opt/ml/model"
    model_source: Annotated[HubSource | None, BeforeValidator(_from_json)] = None
    """None draws with what lies in `model_directory`: SageMaker has put it there."""

    companions: Annotated[tuple[ServedModel, ...], BeforeValidator(_from_json)] = ()
    """Further models, fetched when they are first asked for."""

    model_memory_gib: float | None = Field(default=None, gt=0)
    """What the weights of all models together may take of the device's memory; None: whatever fits."""

    bind_host: str = "0.0.0.0"  # noqa: S104 - SageMaker reaches the container from outside it
    sagemaker_bind_to_port: int = 8080

    drain_s: float = Field(default=20, ge=0, le=20)
    """What jobs are given to be drawn once the container is told to stop; it is killed after 30 s."""

    max_input_image_bytes: int = Field(default=25 * 1024 * 1024)
    max_input_image_pixels: int = Field(default=50_000_000)
    max_batch_size: MaxBatchSize = 8

    fixed_batch_size: bool = False
    """True draws in buckets of that size always, so that images do not depend on the load."""

    compile: bool = False
    """True draws with compiled code once it is ready, which takes minutes."""

    safety_mode: SafetyMode = SafetyMode.OFF
    safety_checker: str | None = None
    """A directory with a safety checker in diffusers' layout, or an `s3://` prefix with one that is fetched
    first; None takes the model's own, or Yahoo's."""

    watermark: str | None = Field(default=None, max_length=80)
    """What is written into a corner of every image."""

    log_prompts: bool = False
    """False keeps prompts, and errors that may quote them, out of the log."""

    @field_validator("companions")
    @classmethod
    def _check_companions_are_somewhere(
        cls, companions: tuple[ServedModel, ...], others: ValidationInfo
    ) -> tuple[ServedModel, ...]:
        if others.data.get("models_bucket_name") is None:
            homeless = [
                each.name for each in companions if isinstance(each.source, S3Source) and not each.source.uri
            ]
            if homeless:
                raise ValueError(f"MODELS_BUCKET_NAME must say where {', '.join(homeless)} lie")
        return companions

    @property
    def served(self) -> dict[str, ModelDeclaration]:
        """Every model that requests may name, by its name; the one of those that name none first."""
        return {each.name: each for each in (self.model, *self.companions)}


class ModelEndpoint(BaseModel):
    """A model, and how jobs get to the endpoint that serves it.

    Attributes:
        model: as requests name it.
        endpoint_parameter: the SSM parameter that holds the endpoint's name.
        invocation_timeout_s: what a job may take once it has begun.
        request_ttl_s: how long a job may wait.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelDeclaration
    endpoint_parameter: str
    invocation_timeout_s: int = Field(default=900, ge=1, le=3600)
    request_ttl_s: int = Field(default=21_600, ge=60, le=21_600)


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
