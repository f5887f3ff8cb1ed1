"""The SageMaker emulator: endpoints are created, deleted and invoked asynchronously on one machine."""
