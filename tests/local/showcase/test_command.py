from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from local.address import Address, published_address
from local.client import UnreachableError
from local.processes import free_port
from local.showcase.command import Api, UnexpectedResultsError, run, running_locally
from local.showcase.contact_sheet import CELL
from local.showcase.features import features
from tests.local.showcase.conftest import SIDE, FakeApi


def run_showcase(url: str, output: Path) -> None:
    run(Api(url, "key"), output=output, console=Console(quiet=True))


def test_the_sheet_has_a_row_for_every_feature(api: FakeApi, tmp_path: Path) -> None:
    run_showcase(api.url, tmp_path / "new" / "sheet.png")
    sheet = Image.open(tmp_path / "new" / "sheet.png")
    assert sheet.format == "PNG"
    assert sheet.height > CELL * len(features(SIDE))
    colours = {colour for _, colour in sheet.getcolors(1 << 20) or []}
    assert {(255, 255, 255), (128, 128, 128)} <= colours


def test_unexpected_results_are_reported_after_the_sheet_is_saved(api: FakeApi, tmp_path: Path) -> None:
    api.loras = {"comet"}
    with pytest.raises(UnexpectedResultsError) as raised:
        run_showcase(api.url, tmp_path / "sheet.png")
    lora, *doras, refused = str(raised.value).split("; ")
    assert lora == "LoRA: There is no LoRA ['moon']."
    assert doras == ["DoRA: There is no LoRA ['moon-dora']."] * 3
    assert refused.startswith("Refused requests: 256 x 256 PNG")
    assert refused.endswith("expected the error adapter_not_found")
    assert (tmp_path / "sheet.png").exists()


def test_a_missing_server_is_reported(tmp_path: Path) -> None:
    port = free_port()
    with pytest.raises(UnreachableError, match=f"no connection to 127.0.0.1:{port}"):
        run_showcase(f"http://127.0.0.1:{port}", tmp_path / "sheet.png")


def test_running_locally_reads_the_address_file(tmp_path: Path) -> None:
    assert running_locally(tmp_path) is None
    address = Address(api_url="http://a", api_key="k", data_bucket="b", aws_endpoint_url="http://c")
    with published_address(tmp_path, address):
        assert running_locally(tmp_path) == Api("http://a", "k")
