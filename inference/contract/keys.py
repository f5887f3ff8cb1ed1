"""Where everything lies in the data bucket."""

INPUTS_PREFIX = "inputs/"
"""What clients put there for a job to read."""

REQUESTS_PREFIX = "requests/"
OUTPUTS_PREFIX = "outputs/"
PROGRESS_PREFIX = "progress/"

RESULTS_PREFIX = "results/"
"""Where SageMaker puts the container's answers."""

FAILURES_PREFIX = "failures/"
"""Where SageMaker puts the container's error answers."""


def request_key(job_id: str) -> str:
    """The job's request document: the body of the invocation."""
    return f"{REQUESTS_PREFIX}{job_id}.json"


def output_key(job_id: str, index: int) -> str:
    """The job's image number `index`, counted from 0."""
    return f"{OUTPUTS_PREFIX}{job_id}/{index}.png"


def progress_key(job_id: str) -> str:
    """How far the container is with the job."""
    return f"{PROGRESS_PREFIX}{job_id}.json"
