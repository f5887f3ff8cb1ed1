"""SageMaker's container protocol over HTTP, and graceful shutdown."""
