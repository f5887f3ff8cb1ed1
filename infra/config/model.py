"""Settings of a model, of its endpoint and of the endpoint's autoscaling."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from contract.environment import MaxBatchSize, Quantization
from contract.model import ServedModel
from contract.options import AdapterName
from contract.safety import SafetyMode
from infra.config.base import Config
from infra.config.batch_sizes import default_batch_size

InstanceType = Annotated[
    str,
    Field(
        pattern=r"^ml\.(g4dn|g5|g6|g6e|p4d|p4de|p5|p5e|p5en)\.(\d+)?xlarge$",
        examples=["ml.g5.xlarge"],
        description="A SageMaker instance type with an NVIDIA GPU of the families g4dn to p5en.",
    ),
]


_FP8_FAMILIES = ("g6", "g6e", "p5", "p5e", "p5en")
"""Of instance types: those with GPUs of the generations Ada and Hopper."""

_MIN_TAIL_S = 180
"""Longer than the two minutes by which metrics may be late."""


class ScheduledMinimum(Config):
    """A scheduled change of the minimum number of instances."""

    cron: str = Field(pattern=r"^cron\(\S+( \S+){5}\)$", examples=["cron(0 8 ? * MON-FRI *)"])
    """A cron expression of Application Auto Scaling: minute, hour, day, month, weekday, year."""

    time_zone: str = "UTC"
    """The IANA time zone of the expression, for example Europe/Berlin."""

    min_instances: int = Field(ge=0)
    """The minimum that applies from then on, until another scheduled change."""


class ScalingConfig(Config):
    """The number of instances of an endpoint and its autoscaling."""

    min_instances: int = Field(default=0, ge=0)
    """The minimum. With 0 the endpoint has no instances, and no instance cost, while there are no jobs."""

    max_instances: int = Field(default=1, ge=1)
    """The maximum. The account's SageMaker quota for the instance type must allow it."""

    target_backlog_per_instance: float = Field(default=4, gt=0)
    """Requests per instance, waiting and running, above which instances are added."""

    scale_out_cooldown_s: int = Field(default=60, ge=0)
    """Seconds between two scale-out actions."""

    scale_in_cooldown_s: int = Field(default=300, ge=0)
    """Seconds between two scale-in actions."""

    idle_tail_s: int = Field(default=900, ge=_MIN_TAIL_S, le=86_400, multiple_of=60)
    """Seconds (whole minutes) without a request after which the endpoint has `min_instances` again. All
    instances but the first are removed earlier, one after every five minutes without a request."""

    busy_tail_s: int = Field(default=3600, ge=0, le=86_400, multiple_of=60)
    """Seconds (whole minutes) for which an instance must be superfluous before it is removed although jobs
    are running; its own jobs are submitted again if they do not end within 20 s. With 0, no instance is
    removed while there are jobs."""

    scheduled_minimums: tuple[ScheduledMinimum, ...] = ()
    """Scheduled minimums, for example one instance during office hours."""

    @model_validator(mode="after")
    def _check_busy_tail(self) -> Self:
        if 0 < self.busy_tail_s < _MIN_TAIL_S:
            raise ValueError(
                f"busy_tail_s must be 0 or at least {_MIN_TAIL_S}, because metrics are up to two minutes late"
            )
        return self

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        minimums = (self.min_instances, *(each.min_instances for each in self.scheduled_minimums))
        if max(minimums) > self.max_instances:
            raise ValueError(
                "min_instances and the min_instances of scheduled_minimums must not exceed max_instances"
            )
        return self


class SafetyConfig(Config):
    """The detection of images that are not safe for work (NSFW)."""

    mode: SafetyMode = SafetyMode.OFF
    """off: no detection; flag: detected images are flagged in the result; blur: they are also blurred;
    block: they are not returned."""

    checker: AdapterName | None = None
    """The name of a safety checker in the diffusers layout, a directory under `adapters/safety_checkers/` in
    the models bucket. By default the safety checker in the model's own directory is used, or else Yahoo's
    open_nsfw, which is part of the container image."""

    @model_validator(mode="after")
    def _check_checker_is_used(self) -> Self:
        if self.checker and self.mode is SafetyMode.OFF:
            raise ValueError("checker has no effect while mode is off; set mode to flag, blur or block")
        return self


class ModelConfig(ServedModel):
    """A model, its endpoint, and further models on the same endpoint."""

    companions: tuple[ServedModel, ...] = Field(
        default=(),
        max_length=16,
        description=(
            "Further models on the same endpoint. An instance downloads and loads a companion when its "
            "first job arrives."
        ),
    )
    model_memory_gib: float | None = Field(
        default=None,
        gt=0,
        description=(
            "GiB of GPU memory for the weights of all models on the endpoint; the least recently used models "
            "are unloaded to stay below it. By default no model is unloaded."
        ),
    )
    instance_types: tuple[InstanceType, ...] = Field(
        min_length=1,
        max_length=5,
        description=(
            "One instance type, or several in order of preference: SageMaker uses the next type when it has "
            "no capacity for the one before. A change replaces the endpoint, see docs/operations.md."
        ),
    )
    max_batch_size: MaxBatchSize = Field(
        default_factory=lambda fields: default_batch_size(fields["instance_types"]),
        description=(
            "The most images, from all running jobs, in one batch of the denoiser; a power of two. Images "
            "without classifier-free guidance count half. By default 8, or 4 if one of the instance types "
            "has a GPU of 16 GiB (g4dn). A batch that does not fit in the GPU's memory is halved."
        ),
    )
    max_concurrent_invocations: int = Field(
        default_factory=lambda fields: 2 * fields["max_batch_size"],
        ge=1,
        le=1000,
        description=(
            "Concurrent requests per instance, at least `max_batch_size`. By default twice that: a batch "
            "stays full while other jobs are prepared, encoded and stored. Jobs that an instance has "
            "received stay there when another instance is added."
        ),
    )
    fixed_batch_size: bool = Field(
        default=False,
        description=(
            "Pads every batch to `max_batch_size` images with classifier-free guidance, so that an image "
            "does not depend on the other jobs that are running. Slower under low load."
        ),
    )
    compile: bool = Field(
        default=False,
        description=(
            "Compiles the denoiser in a process beside the engine, which takes minutes for each image size "
            "and batch size, while jobs run uncompiled. The code is used where it is not slower, and cached "
            "in the data bucket for further instances. It changes the last bits of images."
        ),
    )
    cuda_graphs: bool = Field(
        default=True,
        description=(
            "Launches the kernels of a forward pass of the denoiser together, as a CUDA graph for each shape "
            "and set of LoRAs, so that small batches do not wait for the CPU. Images stay the same. Takes "
            "GPU memory, but none that a batch needs."
        ),
    )
    quantization: Quantization | None = Field(
        default=None,
        description=(
            "`fp8`: the linear layers of the denoiser's transformer blocks, most of the work of Stable "
            "Diffusion XL, multiply in 8-bit floating point. An approximation: docs/performance.md has its "
            "distance from the exact image. It pays with `compile`, and needs instance types of the families "
            "g6, g6e, p5, p5e or p5en. Of the LoRAs, only plain ones (two matrices a layer) can be used with "
            "it."
        ),
    )
    merge_loras: bool = Field(
        default=False,
        description=(
            "Merges LoRAs into the denoiser's weights while they are in use, so that they cost no time in "
            "its steps. An approximation: the sum is rounded to the weights' precision, as a result's "
            "`fallbacks` say. Takes the memory of a copy of the layers that are changed, and images share "
            "batches only with those of the same LoRAs. Pays where most jobs use the same ones."
        ),
    )
    warm_up: bool = Field(
        default=True,
        description=(
            "Before an instance takes jobs, it times attention kernels, memory formats and convolutions on "
            "its GPU for the model's default size, and generates images of that size, so that the first jobs "
            "are as fast as later ones. Takes at most 150 s. With `fixed_batch_size` nothing is timed: other "
            "kernels round differently, and images shall not depend on the instance."
        ),
    )
    safety: SafetyConfig = Field(
        default=SafetyConfig(), description="The handling of images that are not safe for work."
    )
    watermark: str | None = Field(
        default=None, max_length=80, description="A text in the lower right corner of every image."
    )
    download_timeout_s: int = Field(
        default=1800,
        ge=60,
        le=3600,
        description="The timeout in seconds for SageMaker's download of the model from S3.",
    )
    startup_timeout_s: int = Field(
        default=900,
        ge=60,
        le=3600,
        description="The timeout in seconds for the container's start, which includes loading the model.",
    )
    invocation_timeout_s: int = Field(
        default=900,
        ge=1,
        le=3600,
        description="The timeout in seconds for a job after the container has received it.",
    )
    request_ttl_s: int = Field(
        default=21_600,
        ge=60,
        le=21_600,
        description="Seconds that a job may wait in the queue before SageMaker drops it.",
    )
    auto_rollback: bool = Field(
        default=True,
        description=(
            "Returns to the version before when the alarm most-jobs-failing fires during an update. Set it "
            "to false to replace a version whose own failures have fired the alarm."
        ),
    )
    scaling: ScalingConfig = Field(default=ScalingConfig(), description="The number of instances.")

    @model_validator(mode="after")
    def _check_batches_can_be_filled(self) -> Self:
        if self.max_concurrent_invocations < self.max_batch_size:
            raise ValueError(
                f"max_concurrent_invocations ({self.max_concurrent_invocations}) is less than "
                f"max_batch_size ({self.max_batch_size}), so that jobs of one image never fill a batch; "
                "leave it out, raise it, or lower max_batch_size"
            )
        return self

    @model_validator(mode="after")
    def _check_quantization(self) -> Self:
        without = [each for each in self.instance_types if each.split(".")[1] not in _FP8_FAMILIES]
        if self.quantization == "fp8" and without:
            raise ValueError(
                f"quantization is fp8, which the GPU of {without[0]} does not have; leave it out, or use "
                f"instance types of the families {', '.join(_FP8_FAMILIES)}"
            )
        if self.quantization is not None and self.merge_loras:
            raise ValueError("merge_loras cannot change weights that are quantized; leave one of them out")
        return self

    @model_validator(mode="after")
    def _check_types_differ(self) -> Self:
        if len(set(self.instance_types)) < len(self.instance_types):
            raise ValueError("instance_types contains a type twice")
        return self

    @property
    def served(self) -> tuple[ServedModel, ...]:
        """All models on the endpoint, this one first."""
        return (self, *self.companions)
