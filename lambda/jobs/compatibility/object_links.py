"""Links to objects of the data bucket, as clients send them back as inputs."""

from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from contract.identifiers import S3Location
from contract.keys import INPUTS_PREFIX, OUTPUTS_PREFIX
from jobs.ports import Link

_PROBE = f"{INPUTS_PREFIX}probe"


class ObjectLinks:
    """The links that the API signs to objects of the data bucket.

    A client that uploads a file, or generates an image, names it by its link in the next request. The link is
    replaced by the object's `s3://` URI, so that it may have ended, and the caller's access is checked.
    """

    def __init__(self, bucket: str, presign: Callable[[str], Link]) -> None:
        """Creates the links.

        Args:
            bucket: the data bucket.
            presign: makes the link to an `s3://` URI.
        """
        self._bucket = bucket
        self._presign = presign

    def link(self, uri: str) -> Link:
        """The link to an object."""
        return self._presign(uri)

    def uri(self, url: str) -> str | None:
        """The `s3://` URI of the object that a link leads to; None for other addresses."""
        given = _address(url)
        if given is None:
            return None
        root = str(_address(self._presign(S3Location(self._bucket, _PROBE).uri).url)).removesuffix(_PROBE)
        key = unquote(given[len(root) :])
        if not given.startswith(root) or not key.startswith((INPUTS_PREFIX, OUTPUTS_PREFIX)):
            return None
        return S3Location(self._bucket, key).uri


def _address(url: str) -> str | None:
    """The URL without its query; None if it is no http(s) URL."""
    if not url.startswith(("http://", "https://")):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}{parts.path}"
