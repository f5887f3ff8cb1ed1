"""The operations of the API by resource."""

from jobs.compatibility.quick_kit import routes as quick_kit
from jobs.compatibility.quick_kit.shape import QUICK_KIT
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
    *quick_kit.OPERATIONS,
)
"""All operations."""

SHAPES: tuple[Shape, ...] = (QUICK_KIT,)
"""The shapes of paths other than the API's own."""
