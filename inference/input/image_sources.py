"""Fetching of input images by URI."""

import binascii
from typing import BinaryIO

from contract.problem import ErrorCode
from guarded_http.fetch_scope import FetchScope
from inference.data_bucket import DataBucket
from inference.engine.errors import InputError
from inference.input.public_fetcher import PublicFetcher


class ImageSources:
    """Fetches s3:// and https:// URIs, and decodes data: URLs."""

    def __init__(self, bucket: DataBucket, web: PublicFetcher, *, max_bytes: int) -> None:
        self._bucket = bucket
        self._web = web
        self._max_bytes = max_bytes

    def fetch(self, uri: str, pointer: str, target: BinaryIO, scope: FetchScope) -> None:
        """Writes the image file at a URI that `contract.images` accepts.

        Args:
            uri: of the file.
            pointer: the field of the request, for errors.
            target: an empty file.
            scope: cancels the fetch.

        Raises:
            InputError: the file cannot be fetched, or is too large.
            FetchCancelledError: the scope was cancelled.
        """
        scope.check()
        match uri.partition(":")[0].lower():
            case "s3":
                self._bucket.fetch(uri, target, pointer=pointer, max_bytes=self._max_bytes, check=scope.check)
            case "https":
                self._web.fetch(uri, target, scope, pointer=pointer, max_bytes=self._max_bytes)
            case _:
                target.write(self._decode(uri.partition(",")[2], pointer))

    def _decode(self, text: str, pointer: str) -> bytes:
        if len(text) // 4 * 3 - text[-2:].count("=") > self._max_bytes:
            detail = f"the image exceeds the limit of {self._max_bytes:,} bytes; send a smaller file"
            raise InputError(ErrorCode.INPUT_IMAGE_TOO_LARGE, pointer, detail)
        try:
            return binascii.a2b_base64(text, strict_mode=True)
        except ValueError as error:
            detail = "the data: URL is not valid base64; encode the file without line breaks"
            raise InputError(ErrorCode.INPUT_FETCH_FAILED, pointer, detail) from error
