"""The environment variables of each deployable, written by infra and read at run time."""

import json
from collections.abc import Iterator, Mapping
from itertools import count, takewhile
from typing import Annotated, Any, Literal, Self

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
"""SageMaker's limit for the value of one variable."""


WAIT_S = 25
"""The seconds that a request of the API waits for its images, unless a stage sets others."""

ANSWER_S = 4
"""The seconds that are left to translate the request and to make the answer: 29 is API Gateway's limit."""


class InvalidEnvironmentError(RuntimeError):
    """Environment variables are missing or invalid; the message names all of them."""


def _from_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


class Environment(BaseModel):
    """Base of the environments. The field `data_bucket_name` is the variable DATA_BUCKET_NAME.

    Structured fields are encoded as JSON. Values longer than SageMaker's limit are continued in the variables
    NAME_2, NAME_3, ...
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    def variables(self) -> dict[str, str]:
        """The variables to set; fields that have their default value are left out."""
        fields = self.model_dump(mode="json", exclude_defaults=True)
        texts = {
            name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
            for name, value in fields.items()
        }
        return {variable: part for name, text in texts.items() for variable, part in _split(name, text)}

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Reads the environment from a mapping such as `os.environ`; other variables are ignored.

        Raises:
            InvalidEnvironmentError: variables are missing or invalid.
        """
        present = {name: _join(name, environ) for name in cls.model_fields if name.upper() in environ}
        try:
            return cls.model_validate(present)
        except ValidationError as error:
            problems = [f"{_variable(*e['loc'])}: {e['msg']}" for e in error.errors()]
            raise InvalidEnvironmentError("environment variables: " + "; ".join(problems)) from error


def _split(field: str, text: str) -> Iterator[tuple[str, str]]:
    """A field's variables and their values."""
    yield field.upper(), text[:_VALUE_BYTES]
    for number, start in enumerate(range(_VALUE_BYTES, len(text), _VALUE_BYTES), start=2):
        yield f"{field.upper()}_{number}", text[start : start + _VALUE_BYTES]


def _join(field: str, environ: Mapping[str, str]) -> str:
    """Inverse of `_split`."""
    following = (f"{field.upper()}_{number}" for number in count(2))
    parts = (environ[variable] for variable in takewhile(environ.__contains__, following))
    return "".join((environ[field.upper()], *parts))


def _variable(field: str | int, *path: str | int) -> str:
    """The name of a field's variable, followed by the path inside a structured value."""
    return ".".join([str(field).upper(), *map(str, path)])


def _check_power_of_two(number: int) -> int:
    if number.bit_count() != 1:
        raise ValueError("must be a power of two")
    return number


Quantization = Literal["fp8"]
"""8-bit floating point."""

MaxBatchSize = Annotated[int, Field(ge=1, le=64), AfterValidator(_check_power_of_two)]
"""Images with classifier-free guidance, over all jobs, that share a forward pass at most; a power of two."""


class ContainerEnvironment(Environment):
    """Environment of the inference container."""

    model: Annotated[ModelDeclaration, BeforeValidator(_from_json)]
    data_bucket_name: str
    models_bucket_name: str | None = None
    """Bucket of adapters and companion models; None disables adapters."""

    stage: str = "local"
    model_directory: str = "/opt/ml/model"
    model_source: Annotated[HubSource | None, BeforeValidator(_from_json)] = None
    """None: SageMaker has already downloaded the model to `model_directory`."""

    companions: Annotated[tuple[ServedModel, ...], BeforeValidator(_from_json)] = ()
    """Further models of the endpoint, downloaded at their first request."""

    model_memory_gib: float | None = Field(default=None, gt=0)
    """GPU memory for the weights of all models together; None for no limit but the GPU's memory."""

    gpu_instance_types: Annotated[tuple[str, ...], BeforeValidator(_from_json)] = ()
    """The instance types, all with a GPU, of which the container's instance is one; without a usable GPU the
    model is not loaded. Empty: any machine, on its CPU if there is no GPU."""

    aws_default_region: str | None = None
    """Read by boto3, which otherwise may call hosts outside the region's VPC endpoints."""

    aws_account_id: str | None = None
    """Read by boto3."""

    bind_host: str = "0.0.0.0"  # noqa: S104 - SageMaker connects from outside the container
    sagemaker_bind_to_port: int = 8080

    drain_s: float = Field(default=20, ge=0, le=20)
    """Seconds that running jobs have to finish after SIGTERM; SageMaker kills the container after 30 s."""

    invocation_timeout_s: int = Field(default=900, ge=1, le=3600)
    """SageMaker gives up on an invocation after this time."""

    max_input_image_bytes: int = Field(default=25 * 1024 * 1024)
    max_input_image_pixels: int = Field(default=50_000_000)
    max_batch_size: MaxBatchSize = 8

    fixed_batch_size: bool = False
    """Whether every batch is padded to `max_batch_size`, so that images do not depend on the load."""

    compile: bool = False
    """Whether the UNet is compiled. This takes minutes; until then jobs run uncompiled."""

    cuda_graphs: bool = True
    """Whether the kernels of a UNet forward pass are launched together, on a GPU."""

    quantization: Quantization | None = None
    """The number format of the UNet's linear layers; None: that of the model."""

    merge_loras: bool = False
    """Whether plain LoRAs are merged into the UNet's weights while they are active."""

    warm_up: bool = True
    """Whether the container, on a GPU, selects kernels and generates images before it is healthy."""

    safety_mode: SafetyMode = SafetyMode.OFF
    safety_checker: str | None = None
    """A directory with a safety checker in the diffusers layout, or an `s3://` prefix to download it from.
    None: the model's own safety checker, or else open_nsfw."""

    watermark: str | None = Field(default=None, max_length=80)
    """Text in the lower right corner of every image."""

    output_prefixes: Annotated[tuple[str, ...], BeforeValidator(_from_json)] = ()
    """The accepted values of `output_s3_uri`, and prefixes of them."""

    log_prompts: bool = False
    """Whether prompts, and error messages that may contain them, are logged."""

    @field_validator("companions")
    @classmethod
    def _check_models_bucket(
        cls, companions: tuple[ServedModel, ...], info: ValidationInfo
    ) -> tuple[ServedModel, ...]:
        if info.data.get("models_bucket_name") is None:
            in_models_bucket = [
                each.name for each in companions if isinstance(each.source, S3Source) and not each.source.uri
            ]
            if in_models_bucket:
                raise ValueError(f"MODELS_BUCKET_NAME is required for {', '.join(in_models_bucket)}")
        return companions

    @property
    def served(self) -> dict[str, ModelDeclaration]:
        """The endpoint's models by name; the default model is first."""
        return {each.name: each for each in (self.model, *self.companions)}


class ModelEndpoint(BaseModel):
    """A model and the endpoint that serves it.

    Attributes:
        model: the model's name, defaults and limits.
        queue: name of the endpoint's own model, which its companions share; identifies the endpoint's queue.
        endpoint_parameter: name of the SSM parameter that holds the endpoint's name.
        invocation_timeout_s: seconds that an invocation may run.
        request_ttl_s: seconds that an invocation may wait in the queue.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelDeclaration
    queue: str
    endpoint_parameter: str
    invocation_timeout_s: int = Field(default=900, ge=1, le=3600)
    request_ttl_s: int = Field(default=21_600, ge=60, le=21_600)
    max_concurrent_invocations: int = Field(default=1, ge=1)


class CompletionEnvironment(Environment):
    """Environment of the completion function."""

    jobs_table_name: str
    estimates_table_name: str
    data_bucket_name: str
    webhook_queue_url: str
    powertools_service_name: str
    model_endpoints: Annotated[tuple[ModelEndpoint, ...], BeforeValidator(_from_json)] = Field(min_length=1)


class WebhookEnvironment(Environment):
    """Environment of the webhook function."""

    jobs_table_name: str
    data_bucket_name: str
    webhook_queue_url: str
    signing_secret_arn: str
    powertools_service_name: str


class ReconcilerEnvironment(CompletionEnvironment):
    """Environment of the reconciler."""

    stage: str


class ApiEnvironment(CompletionEnvironment):
    """Environment of the API function."""

    models_bucket_name: str
    """Bucket of the adapters."""

    default_model: str
    signing_secret_arn: str
    retention_days: int = Field(default=30, ge=1)

    shared_jobs: bool = True
    """Whether every caller sees the jobs of all callers."""

    allowed_origins: Annotated[tuple[str, ...], BeforeValidator(_from_json)] = ()
    """The origins of pages that browsers allow to call the API."""

    model_aliases: Annotated[dict[str, str] | None, BeforeValidator(_from_json)] = None
    """Further names of models for OpenAI's clients. None: the names of OpenAI's own image models stand for
    the default model."""

    wait_s: int = Field(default=WAIT_S, ge=1)
    """The seconds that a request waits for its images at most."""

    output_prefixes: Annotated[tuple[str, ...], BeforeValidator(_from_json)] = ()
    """The accepted values of `output_s3_uri`, and prefixes of them."""
