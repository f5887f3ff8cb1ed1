"""The operations of Replicate's API."""

from jobs.compatibility.replicate.routes import files, models, predictions

OPERATIONS = (*predictions.OPERATIONS, *files.OPERATIONS, *models.OPERATIONS)
