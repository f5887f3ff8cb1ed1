"""Origins of web pages, as browsers spell them."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_MAX_PORT = 65535
_LOCAL_HOSTS = ("localhost", "127.0.0.1")


def _check_origin(origin: str) -> str:
    scheme, separator, authority = origin.partition("://")
    host, colon, port = authority.partition(":")
    if scheme not in _DEFAULT_PORTS or not separator:
        raise ValueError("must begin with https:// (http:// for localhost), in lower case")
    if "/" in authority:
        raise ValueError("must have no path and no slash at its end: an origin is scheme, host and port")
    if _HOST.fullmatch(host) is None:
        raise ValueError("must have a host name in lower case and ASCII (xn--...), without wildcards")
    if scheme == "http" and host not in _LOCAL_HOSTS:
        raise ValueError(f"must begin with https:// unless its host is {' or '.join(_LOCAL_HOSTS)}")
    if colon and (_PORT.fullmatch(port) is None or int(port) > _MAX_PORT):
        raise ValueError(f"must have a port from 1 to {_MAX_PORT} after the colon")
    if port == _DEFAULT_PORTS[scheme]:
        raise ValueError(f"must not name port {port}: browsers leave out the default port of {scheme}")
    return origin


Origin = Annotated[str, Field(max_length=267), AfterValidator(_check_origin)]
