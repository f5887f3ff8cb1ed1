"""CDK stacks and constructs."""
