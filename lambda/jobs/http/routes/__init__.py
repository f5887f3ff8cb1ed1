"""The operations of the API by resource."""

from jobs.compatibility.automatic1111 import routes as automatic1111
from jobs.compatibility.automatic1111.shape import AUTOMATIC1111
from jobs.compatibility.openai import routes as openai
from jobs.compatibility.openai.shape import OPENAI
from jobs.compatibility.quick_kit import routes as quick_kit
from jobs.compatibility.quick_kit.shape import QUICK_KIT
from jobs.compatibility.replicate import routes as replicate
from jobs.compatibility.replicate.shape import REPLICATE
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
    *openai.OPERATIONS,
    *automatic1111.OPERATIONS,
    *replicate.OPERATIONS,
    *quick_kit.OPERATIONS,
)
"""All operations."""

SHAPES: tuple[Shape, ...] = (OPENAI, AUTOMATIC1111, REPLICATE, QUICK_KIT)
"""The shapes of paths other than the API's own."""
