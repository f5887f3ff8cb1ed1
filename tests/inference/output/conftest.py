from tests.inference.conftest import engine, s3

__all__ = ["engine", "s3"]
