"""Fetching of input images by URI."""

import binascii

from contract.problem import ErrorCode
from inference.data_bucket import DataBucket
from inference.engine.errors import InputError
from inference.input.public_fetcher import PublicFetcher


class ImageSources:
    """Fetches s3:// and https:// URIs, and decodes data: URLs."""

    def __init__(self, bucket: DataBucket, web: PublicFetcher, *, max_bytes: int) -> None:
        self._bucket = bucket
        self._web = web
        self._max_bytes = max_bytes

    def fetch(self, uri: str, pointer: str) -> bytes:
        """The image file at a URI that `contract.images` accepts.

        Raises:
            InputError: the file cannot be fetched, or is too large; the error names the field at `pointer`.
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
            detail = f"the image exceeds the limit of {self._max_bytes:,} bytes; send a smaller file"
            raise InputError(ErrorCode.INPUT_IMAGE_TOO_LARGE, pointer, detail)
        try:
            return binascii.a2b_base64(text, strict_mode=True)
        except ValueError as error:
            detail = "the data: URL is not valid base64; encode the file without line breaks"
            raise InputError(ErrorCode.INPUT_FETCH_FAILED, pointer, detail) from error
