"""Paths of the API, and those that other systems' clients call.

A pattern is a path, or `/prefix/*` for all paths below a prefix.
"""

JOBS_PATH = "/v1/jobs"

OPENAI_PATHS = ("/v1/images/*",)
AUTOMATIC1111_PATHS = ("/sdapi/*",)
REPLICATE_PATHS = ("/replicate/*",)
QUICK_KIT_PATHS = ("/async_hander", "/task/*", "/upload_handler", "/config")

COMPATIBLE_PATHS = (*OPENAI_PATHS, *AUTOMATIC1111_PATHS, *REPLICATE_PATHS, *QUICK_KIT_PATHS)

IMAGE_PATHS = (JOBS_PATH, *COMPATIBLE_PATHS)
"""The paths whose requests may contain images."""


def is_path_of(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether a path is one of the patterns."""
    return any(
        path.startswith(pattern.removesuffix("*")) if pattern.endswith("/*") else path == pattern
        for pattern in patterns
    )
