"""The operations of the API by resource."""

from jobs.http.routes import adapters, catalog, documents, job_list, jobs, uploads

OPERATIONS = (
    *jobs.OPERATIONS,
    *job_list.OPERATIONS,
    *uploads.OPERATIONS,
    *catalog.OPERATIONS,
    *adapters.OPERATIONS,
    *documents.OPERATIONS,
)
"""All operations."""
