"""Where everything lies in the data bucket and in the models bucket."""

INPUTS_PREFIX = "inputs/"
"""What clients put there for a job to read."""

REQUESTS_PREFIX = "requests/"
OUTPUTS_PREFIX = "outputs/"
PROGRESS_PREFIX = "progress/"
CANCELLATIONS_PREFIX = "cancellations/"

RESULTS_PREFIX = "results/"
"""Where SageMaker puts the container's answers."""

FAILURES_PREFIX = "failures/"
"""Where SageMaker puts the container's error answers."""

COMPILED_PREFIX = "compiled/"
"""What torch.compile has made, for the next container."""

ADAPTERS_PREFIX = "adapters/"
"""In the models bucket: what requests name beside the model."""

LORAS_PREFIX = f"{ADAPTERS_PREFIX}loras/"
EMBEDDINGS_PREFIX = f"{ADAPTERS_PREFIX}embeddings/"
VAES_PREFIX = f"{ADAPTERS_PREFIX}vaes/"
CONTROLNETS_PREFIX = f"{ADAPTERS_PREFIX}controlnets/"
UPSCALERS_PREFIX = f"{ADAPTERS_PREFIX}upscalers/"
SAFETY_CHECKERS_PREFIX = f"{ADAPTERS_PREFIX}safety_checkers/"

LANCZOS = "lanczos"
"""The upscaler that is no model."""


def request_key(job_id: str) -> str:
    """The job's request document: the body of the invocation."""
    return f"{REQUESTS_PREFIX}{job_id}.json"


def input_key(job_id: str, name: str) -> str:
    """A picture that came inside the job's request."""
    return f"{INPUTS_PREFIX}{job_id}/{name}"


def output_key(job_id: str, index: int, extension: str) -> str:
    """The job's image number `index`, counted from 0."""
    return f"{OUTPUTS_PREFIX}{job_id}/{index}.{extension}"


def progress_key(job_id: str) -> str:
    """How far the container is with the job."""
    return f"{PROGRESS_PREFIX}{job_id}.json"


def cancellation_key(job_id: str) -> str:
    """The marker that asks the container to stop; its content does not matter."""
    return f"{CANCELLATIONS_PREFIX}{job_id}"


def compiled_key(model: str, machine: str) -> str:
    """What torch.compile has made of the model on such a machine."""
    return f"{COMPILED_PREFIX}{model}/{machine}"
