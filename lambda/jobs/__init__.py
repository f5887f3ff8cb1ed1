"""The Lambda functions: the HTTP API, and the consumer of completion messages."""
