"""One invocation, from its request body to its result document."""
