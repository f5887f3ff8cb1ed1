"""SageMaker's container protocol over HTTP."""
