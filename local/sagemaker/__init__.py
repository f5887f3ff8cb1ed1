"""SageMaker's control plane and asynchronous endpoints, emulated."""
