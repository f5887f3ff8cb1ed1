"""Names of the CloudWatch metrics that the container publishes."""

NAMESPACE = "StableDiffusion"

STAGE_DIMENSION = "Stage"
MODEL_DIMENSION = "Model"

MODEL_LOAD_SECONDS = "ModelLoadSeconds"
"""Time to load a model, its download included; published at each load."""

QUEUE_SECONDS = "QueueSeconds"
"""From the submission of a job to its arrival at the container; not published for jobs without an id."""

FETCH_SECONDS = "FetchSeconds"
"""Time to fetch and decode the input images; not published for jobs without any."""

DENOISE_SECONDS = "DenoiseSeconds"
"""Generation time, from the text encoder to the decoded images, without the time in the engine's queue."""

ENCODE_SECONDS = "EncodeSeconds"
"""Time to postprocess and encode all images of a job."""

UPLOAD_SECONDS = "UploadSeconds"
"""Time to upload all images of a job to S3."""

TOTAL_SECONDS = "TotalSeconds"
"""From the arrival of a job at the container until its images are stored, waiting times included."""

IMAGES = "Images"
"""Number of images of a successful job."""

FAILURES = "Failures"
"""1 for a failed job, 0 for any other: the sum is the number of failures, the average the failure rate.

A canceled job does not count as failed.
"""

ERROR_CODE_PROPERTY = "error_code"
"""Property of the log event of a failed or canceled job; its value is an `ErrorCode`."""


def dimensions(*, stage: str, model: str) -> dict[str, str]:
    """The dimensions of every metric."""
    return {STAGE_DIMENSION: stage, MODEL_DIMENSION: model}
