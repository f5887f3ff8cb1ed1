"""The inference container: SageMaker's protocol on one side, diffusers on the other."""
