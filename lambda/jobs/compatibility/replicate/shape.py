"""The paths of Replicate's API, and the form of its errors: problem documents, as everywhere in this API."""

from contract.api_paths import REPLICATE_PATHS
from contract.problem import CONTENT_TYPE, Problem
from jobs.http.request import Request
from jobs.http.responses import problem_response
from jobs.http.shape import Shape

PREFIX = "/replicate/v1"

REPLICATE = Shape(
    name="Replicate",
    description="The API of Replicate, for its clients: set their base URL to this API's.",
    paths=REPLICATE_PATHS,
    problem_form=problem_response,
    problem_model=Problem,
    problem_media_type=CONTENT_TYPE,
)


def address_of(request: Request) -> str:
    """The URL of this API in Replicate's form."""
    return f"{request.base_url}{PREFIX}"
