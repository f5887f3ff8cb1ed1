"""Keys and key prefixes in the data bucket and in the models bucket."""

from contract.identifiers import InvocationId

INPUTS_PREFIX = "inputs/"
"""Input images that clients upload."""

REQUESTS_PREFIX = "requests/"
"""Bodies of invocations that clients of SageMaker's own API store."""

OUTPUTS_PREFIX = "outputs/"
PROGRESS_PREFIX = "progress/"
CANCELLATIONS_PREFIX = "cancellations/"
PREVIEWS_PREFIX = "previews/"

STARTS_PREFIX = "starts/"
"""Markers that containers write when an invocation starts; EventBridge reports them to the API."""

RESULTS_PREFIX = "results/"
"""Result documents, written by SageMaker."""

FAILURES_PREFIX = "failures/"
"""Error documents of failed invocations, written by SageMaker."""

JOB_PREFIXES = (
    INPUTS_PREFIX,
    STARTS_PREFIX,
    PROGRESS_PREFIX,
    PREVIEWS_PREFIX,
    CANCELLATIONS_PREFIX,
    OUTPUTS_PREFIX,
    RESULTS_PREFIX,
    FAILURES_PREFIX,
)
"""The prefixes of the objects of jobs in the data bucket."""

COMPILED_PREFIX = "compiled/"
"""Packages of compiled code, shared by containers."""

ADAPTERS_PREFIX = "adapters/"
"""Adapters, in the models bucket."""

LORAS_PREFIX = f"{ADAPTERS_PREFIX}loras/"
EMBEDDINGS_PREFIX = f"{ADAPTERS_PREFIX}embeddings/"
VAES_PREFIX = f"{ADAPTERS_PREFIX}vaes/"
CONTROLNETS_PREFIX = f"{ADAPTERS_PREFIX}controlnets/"
UPSCALERS_PREFIX = f"{ADAPTERS_PREFIX}upscalers/"
SAFETY_CHECKERS_PREFIX = f"{ADAPTERS_PREFIX}safety_checkers/"

LANCZOS = "lanczos"
"""The name of the Lanczos filter as an upscaler; it needs no model."""


def input_key(job_id: str, name: str) -> str:
    """An input image that the request contained as a data: URL."""
    return f"{INPUTS_PREFIX}{job_id}/{name}"


def output_key(job_id: str, index: int, extension: str) -> str:
    """The image number `index` of a job, counted from 0."""
    return f"{OUTPUTS_PREFIX}{job_id}/{index}.{extension}"


def progress_key(job_id: str) -> str:
    """The job's progress document."""
    return f"{PROGRESS_PREFIX}{job_id}.json"


def cancellation_key(job_id: str) -> str:
    """The job's cancellation marker; only its existence matters, not its content."""
    return f"{CANCELLATIONS_PREFIX}{job_id}"


def start_key(invocation: InvocationId) -> str:
    """The marker of an invocation that has started; only its existence matters, not its content."""
    return f"{STARTS_PREFIX}{invocation}"


def preview_key(job_id: str) -> str:
    """The preview of an unfinished image, overwritten as the generation proceeds."""
    return f"{PREVIEWS_PREFIX}{job_id}.jpg"


def compiled_key(name: str) -> str:
    """A package of compiled code."""
    return f"{COMPILED_PREFIX}{name}.pt2"
