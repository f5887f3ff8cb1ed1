"""The inference container: SageMaker's protocol, the engine, inputs and outputs."""
