"""What the API, the container and the infrastructure agree on.

Imported by all three, so it imports nothing heavier than pydantic.
"""
