"""The names of the container's metrics in CloudWatch: it writes them, dashboards and alarms read them."""

NAMESPACE = "StableDiffusion"

STAGE_DIMENSION = "Stage"
MODEL_DIMENSION = "Model"

MODEL_LOAD_SECONDS = "ModelLoadSeconds"
"""From the beginning of loading until the model can draw, a download included; whenever one is loaded."""

QUEUE_SECONDS = "QueueSeconds"
"""From the job's submission until the container has it; none for a job that came without an id."""

FETCH_SECONDS = "FetchSeconds"
"""Fetching and decoding the input image; none for a job without one."""

DENOISE_SECONDS = "DenoiseSeconds"
"""Drawing, from the text encoder to the pixels, without the wait for an earlier job to be drawn."""

ENCODE_SECONDS = "EncodeSeconds"
"""Making PNG files of all the job's images."""

UPLOAD_SECONDS = "UploadSeconds"
"""Storing all of them in S3."""

TOTAL_SECONDS = "TotalSeconds"
"""From the job's arrival at the container until its images are stored, waits included."""

IMAGES = "Images"
"""Images drawn and stored by a job that succeeded."""

FAILURES = "Failures"
"""1 for a job that failed and 0 for one that did not: the sum counts them, the average is their share.

A job that was canceled has not failed.
"""

ERROR_CODE_PROPERTY = "error_code"
"""Beside a failure or cancellation in its log event: an `ErrorCode`."""


def dimensions(*, stage: str, model: str) -> dict[str, str]:
    """The dimensions of every metric."""
    return {STAGE_DIMENSION: stage, MODEL_DIMENSION: model}
