"""Ids in the paths of requests."""

from pydantic import TypeAdapter, ValidationError

from contract.identifiers import JobId
from jobs.errors import JobNotFoundError
from jobs.http.request import Request

_JOB_ID = TypeAdapter(JobId)


def job_id_of(request: Request) -> str:
    """The part `{job_id}` of the path.

    Raises:
        JobNotFoundError: it is no id, and is not looked up.
    """
    text = request.path_parameters["job_id"]
    try:
        return _JOB_ID.validate_python(text)
    except ValidationError:
        raise JobNotFoundError(text) from None
