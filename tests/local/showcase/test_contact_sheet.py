"""The contact sheet, and the client that it shares with the demo, at a server that answers as it is told."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rich.console import Console
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contract.problem import CONTENT_TYPE, ErrorCode, Problem
from contract.request import JobRequest
from local.client import JobFailedError, JobsClient, UnreachableError
from local.processes import free_port
from local.showcase import captions
from local.showcase.command import Api, RowsFailedError, run, running_locally
from local.showcase.contact_sheet import CELL, Cell, Strip, contact_sheet
from local.showcase.features import rows
from local.web_server import WebServer, listen

SIDE = 256
MODEL = {"is_default": True, "defaults": {"width": SIDE, "height": SIDE}}
LINKS = {"self": "/v1/jobs/J"}


def problem(code: ErrorCode, detail: str) -> Any:
    return Problem.of(code, detail).model_dump(mode="json")


class Server:
    """Draws grey pictures; refuses widths off the grid and fails jobs with LoRAs that it does not have."""

    def __init__(self) -> None:
        self.loras = {"moon"}
        self.url = ""

    async def models(self, _request: Request) -> Response:
        return JSONResponse({"data": [{"is_default": False}, MODEL]})

    async def submit(self, request: Request) -> Response:
        asked = await request.json()
        if asked.get("width", 0) % 8:
            refusal = problem(ErrorCode.VALIDATION_FAILED, "width: must be a multiple of 8")
            return JSONResponse(refusal, 422, headers={"Content-Type": CONTENT_TYPE})
        missing = {each["name"] for each in asked.get("loras", [])} - self.loras
        if missing:
            error = problem(ErrorCode.ADAPTER_NOT_FOUND, f"There is no LoRA {sorted(missing)}.")
            return JSONResponse({"id": "J", "status": "failed", "error": error, "links": LINKS})
        return JSONResponse({"id": "J", "status": "queued", "links": LINKS}, 202)

    async def follow(self, _request: Request) -> Response:
        images = [{"url": f"{self.url}/picture"}]
        return JSONResponse({"id": "J", "status": "succeeded", "images": images, "links": LINKS})

    async def picture(self, request: Request) -> Response:
        assert "x-api-key" not in request.headers
        buffer = io.BytesIO()
        Image.new("RGB", (SIDE, SIDE), "grey").save(buffer, format="PNG")
        return Response(buffer.getvalue())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr("local.client._FIRST_PAUSE_S", 0.0)
    server = Server()
    routes = [
        Route("/v1/models", server.models),
        Route("/v1/jobs", server.submit, methods=["POST"]),
        Route("/v1/jobs/J", server.follow),
        Route("/picture", server.picture),
    ]
    web_server = WebServer(Starlette(routes=routes), listen(0))
    server.url = web_server.url
    yield server
    web_server.stop()


def show(server: Server, output: Path) -> None:
    run(Api(server.url, "key"), output=output, console=Console(quiet=True))


def test_every_row_is_on_the_sheet(server: Server, tmp_path: Path) -> None:
    show(server, tmp_path / "new" / "sheet.png")
    sheet = Image.open(tmp_path / "new" / "sheet.png")
    assert sheet.format == "PNG"
    assert sheet.height > CELL * len(rows(SIDE))
    colours = {colour for _, colour in sheet.getcolors(1 << 20) or []}
    assert {(255, 255, 255), (128, 128, 128)} <= colours


def test_rows_that_show_something_else_are_named_and_the_sheet_is_there(
    server: Server, tmp_path: Path
) -> None:
    server.loras = {"comet"}
    with pytest.raises(RowsFailedError) as failed:
        show(server, tmp_path / "sheet.png")
    lora, refused = str(failed.value).split("; ")
    assert lora == "LoRA: There is no LoRA ['moon']."
    assert refused.startswith("Refused requests: 256 x 256 PNG")
    assert refused.endswith("though it should have been refused")
    assert (tmp_path / "sheet.png").exists()


def test_a_withheld_picture_is_told_in_words() -> None:
    withheld = {"url": None, "seed": 7, "flags": ["nsfw"]}
    with (
        JobsClient("http://127.0.0.1", "key") as client,
        pytest.raises(JobFailedError, match="the image of seed 7 is withheld: nsfw"),
    ):
        client.download(withheld)


def test_without_a_server_nothing_is_waited_for(tmp_path: Path) -> None:
    port = free_port()
    with pytest.raises(UnreachableError, match=f"nothing answers at 127.0.0.1:{port}"):
        run(Api(f"http://127.0.0.1:{port}", "key"), output=tmp_path / "a.png", console=Console(quiet=True))


def test_a_refusal_has_its_sentence_and_its_code(server: Server) -> None:
    with JobsClient(server.url, "key") as client:
        with pytest.raises(JobFailedError, match=r"^width: must be a multiple of 8 \(validation_failed\)$"):
            client.submit({"prompt": "x", "width": 100})
        with pytest.raises(JobFailedError, match=r"^HTTP 404: Not Found$"):
            list(client.follow({"id": "K", "status": "queued", "links": {"self": "/v1/jobs/K"}}))


def test_the_local_stacks_note_says_where_it_is(tmp_path: Path) -> None:
    assert running_locally(tmp_path) is None
    (tmp_path / "endpoint.json").write_text(json.dumps({"api_url": "http://a", "api_key": "k", "other": 1}))
    assert running_locally(tmp_path) == Api("http://a", "k")


@pytest.mark.parametrize("side", [128, 512, 1024])
def test_every_request_is_one_for_the_models_size(side: int) -> None:
    for row in rows(side):
        for panel in row.requests:
            if row.label != "Refused requests":
                JobRequest.model_validate(panel)


def test_requests_are_told_by_what_they_share_and_what_not() -> None:
    common = {"prompt": "a star", "input_image": "data:image/png;base64,AAAA", "seed": 7}
    one, other = common | {"loras": []}, common | {"loras": [{"name": "moon", "weight": 0.5}]}
    assert captions.shared([one, other]) == "prompt: a star\ninput_image: data:…\nseed: 7"
    assert captions.own(one, [one, other]) == "loras: none"
    assert captions.own(other, [one, other]) == "loras: name moon, weight 0.5"


def test_a_long_prompt_shows_its_ends() -> None:
    told = captions.shared([{"prompt": f"a red {'photo ' * 100}circle"}])
    assert told.startswith("prompt: a red photo")
    assert told.endswith("photo circle")
    assert len(told) < 80


def test_a_sheet_has_room_for_words_and_large_pictures() -> None:
    large = Image.new("RGB", (2 * CELL, 3 * CELL), "red")
    sentence = Cell(note="https://example.com/" + "long" * 200, is_wanted=False)
    strips = [
        Strip(label="a", text="b " * 200, cells=(Cell(picture=large, note="c"), sentence)),
        Strip(label="d", text="", cells=(Cell(picture=large),)),
    ]
    sheet = contact_sheet(strips)
    reds = sum(count for count, colour in sheet.getcolors(1 << 20) or [] if colour == (255, 0, 0))
    assert reds == 2 * (2 * CELL - 2) * (3 * CELL - 2)
    edge = sheet.crop((sheet.width - 5, 0, sheet.width, sheet.height))
    assert edge.getcolors() == [(5 * sheet.height, (255, 255, 255))]
