"""The types shared by the API, the container and the infrastructure.

All three import it, so it depends on nothing heavier than pydantic.
"""
