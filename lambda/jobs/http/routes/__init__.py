"""The operations of the API by resource."""

from jobs.http.operation import Operation
from jobs.http.routes import adapters, catalog, documents, job_list, jobs, uploads
from jobs.http.shape import Shape

OPERATIONS: tuple[Operation, ...] = (
    *jobs.OPERATIONS,
    *job_list.OPERATIONS,
    *uploads.OPERATIONS,
    *catalog.OPERATIONS,
    *adapters.OPERATIONS,
    *documents.OPERATIONS,
)
"""All operations."""

SHAPES: tuple[Shape, ...] = ()
"""The shapes of paths other than the API's own."""
