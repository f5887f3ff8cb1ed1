"""A picture's bytes, wherever its URI says they are."""

import binascii

from contract.problem import ErrorCode
from inference.data_bucket import DataBucket
from inference.engine.errors import InputError
from inference.input.public_fetcher import PublicFetcher


class ImageSources:
    """The data bucket, the public web, and requests that bring a picture themselves."""

    def __init__(self, bucket: DataBucket, web: PublicFetcher, *, max_bytes: int) -> None:
        """Takes where pictures come from, and how many bytes one may have."""
        self._bucket = bucket
        self._web = web
        self._max_bytes = max_bytes

    def fetch(self, uri: str, pointer: str) -> bytes:
        """The encoded picture at a URI that `contract.images` lets through.

        Raises:
            InputError: it cannot be had, or is too large; the error names the field at `pointer`.
        """
        match uri.partition(":")[0].lower():
            case "s3":
                return self._bucket.fetch(uri, pointer=pointer, max_bytes=self._max_bytes)
            case "https":
                return self._web.fetch(uri, pointer=pointer, max_bytes=self._max_bytes)
            case _:
                return self._decode(uri.partition(",")[2], pointer)

    def _decode(self, text: str, pointer: str) -> bytes:
        if len(text) // 4 * 3 - text[-2:].count("=") > self._max_bytes:
            detail = f"holds more than the {self._max_bytes:,} bytes that are accepted"
            raise InputError(ErrorCode.INPUT_IMAGE_TOO_LARGE, pointer, detail)
        try:
            return binascii.a2b_base64(text, strict_mode=True)
        except ValueError as error:
            detail = "is not in base64; encode the file as it is, without line breaks"
            raise InputError(ErrorCode.INPUT_FETCH_FAILED, pointer, detail) from error
