"""The web page, served at the address of the API."""

import re
from collections.abc import Mapping
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from contract.page import ASSETS_PREFIX, CONFIG, INDEX, ApiKeySignIn, PageConfig, cache_control, page_headers
from contract.problem import MAX_ECHOED_CHARACTERS, ErrorCode
from local.problems import problem_response

BUILD_COMMAND = "make web"

HOSTS = ("127.0.0.1", "localhost")
"""The names of this machine in the page's address."""

_LOOPBACK_HOST = re.compile(rf"({'|'.join(map(re.escape, (*HOSTS, '[::1]')))})(:\d+)?", re.IGNORECASE)


def is_built(directory: Path) -> bool:
    """Whether the directory contains a built page."""
    return (directory / INDEX).is_file()


def page_routes(directory: Path, *, api_key: str, storage_origin: str) -> list[Route]:
    """The routes of the page's files and of its configuration.

    Args:
        directory: of the built page; as long as there is none, `/` answers with the command that builds it.
        api_key: the page uses it without asking for one.
        storage_origin: of the links to images and of the upload forms.
    """
    files = _Files(directory, page_headers([storage_origin], None, https=False))
    icons = [path.name for path in directory.glob("*.*") if path.is_file() and not path.name.startswith(".")]
    return [
        Route("/", files.serve),
        *(Route(f"/{name}", files.serve) for name in icons if name != INDEX),
        Route(f"/{ASSETS_PREFIX}{{name}}", files.serve),
        Route(f"/{CONFIG}", _Configuration(api_key).serve),
    ]


class _Files:
    """The files of the page, with its headers."""

    def __init__(self, directory: Path, headers: Mapping[str, str]) -> None:
        self._files = StaticFiles(directory=directory, check_dir=False)
        self._headers = headers

    async def serve(self, request: Request) -> Response:
        """The file at the request's path, or 304 if the client has it."""
        path = request.scope["path"].removeprefix("/") or INDEX
        try:
            response = await self._files.get_response(path, request.scope)
        except HTTPException:
            detail = (
                f"The page has not been built: run `{BUILD_COMMAND}`, then start the local stack again."
                if path == INDEX
                else "The page has no such file; reload the page if it was built again."
            )
            return problem_response(ErrorCode.ROUTE_NOT_FOUND, detail)
        response.headers.update(self._headers)
        response.headers["Cache-Control"] = cache_control(path)
        return response


class _Configuration:
    """The page's configuration, which includes the API key.

    A website may let its own name resolve to 127.0.0.1 (DNS rebinding), and would then read this response as
    one of its own. Its requests have its name as their host.
    """

    def __init__(self, api_key: str) -> None:
        config = PageConfig(auth=ApiKeySignIn(key=api_key))
        self._body = config.model_dump_json(exclude_none=True)

    async def serve(self, request: Request) -> Response:
        """The configuration, for requests to a loopback address only."""
        host = request.headers.get("host", "")
        if not _LOOPBACK_HOST.fullmatch(host):
            return problem_response(
                ErrorCode.FORBIDDEN,
                f"{CONFIG} contains the API key and is answered at 127.0.0.1, localhost and [::1] only, "
                f"not at {host[:MAX_ECHOED_CHARACTERS]!r}: another website could read it.",
            )
        return Response(
            self._body,
            media_type="application/json",
            headers={
                "Cache-Control": cache_control(CONFIG),
                "Cross-Origin-Resource-Policy": "same-origin",
                "X-Content-Type-Options": "nosniff",
            },
        )
