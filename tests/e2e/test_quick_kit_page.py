"""The requests of the Quick Kit's page against the whole system, with the bodies that the page sends."""

import base64
import io
from typing import Any

import httpx
from PIL import Image

from tests.waiting import wait_until

PAGE = {
    "prompt": " a big red star on a blue background",
    "negative_prompt": "",
    "width": 128,
    "height": 128,
    "steps": 20,
    "sampler": "dpm2_a",
    "seed": 731234567890,
    "count": 2,
}


def generated(http: httpx.Client, **fields: Any) -> list[Image.Image]:
    """The images of a task, which is asked for as the page asks."""
    (model,) = http.get("/config").json()
    headers = {"X-SM-Endpoint": model["sm_endpoint"]}
    submitted = http.post("/async_hander", json={**PAGE, **fields}, headers=headers)
    assert submitted.status_code == 200, submitted.text
    address = f"/task/{submitted.json()['task_id']}"

    def task() -> Any:
        answer = http.get(address)
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.json()["status"] == "completed" else None

    return [
        Image.open(io.BytesIO(httpx.get(url).content))
        for url in wait_until(task, "the task is completed", poll_s=0.1)["images"]
    ]


def uploaded(http: httpx.Client, image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG")
    body = {"imageName": "star.png", "imageData": base64.b64encode(file.getvalue()).decode()}
    link: str = http.post("/upload_handler", json=body).json()["upload_file"]
    assert link.startswith("http")  # the page sends no other addresses as an input image
    return link


def test_the_page_generates_images_and_uploads_one_for_a_control_net(http: httpx.Client) -> None:
    first, second = generated(http)
    assert first.size == second.size == (128, 128)
    (third,) = generated(http, count=1, input_image=uploaded(http, first), control_net_model="canny")
    assert third.size == (128, 128)


def test_a_refusal_stops_the_page_and_names_the_field(http: httpx.Client) -> None:
    answer = http.post("/async_hander", json={**PAGE, "sdxl_refiner": "enable"})
    assert answer.status_code == 422
    assert answer.json()["status"] == "Failed"
    assert answer.json()["msg"].startswith("sdxl_refiner: cannot be enabled")
