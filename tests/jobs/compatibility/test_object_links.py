"""Links to objects that clients send back."""

from datetime import timedelta
from urllib.parse import quote

import pytest

from jobs.compatibility.object_links import ObjectLinks
from jobs.ports import Link
from tests.jobs.fakes import BUCKET, NOW


def presign(uri: str) -> Link:
    path = quote(uri.removeprefix(f"s3://{BUCKET}/"))
    return Link(
        url=f"https://data.s3.eu-central-1.amazonaws.com/{path}?X-Amz-Signature=1",
        expires_at=NOW + timedelta(hours=1),
    )


links = ObjectLinks(BUCKET, presign)


@pytest.mark.parametrize("key", ["inputs/abc/file.png", "outputs/01J/0.png", "inputs/a b+c%2F/ü.png"])
def test_a_link_leads_back_to_its_object(key: str) -> None:
    uri = f"s3://{BUCKET}/{key}"
    assert links.uri(links.link(uri).url) == uri


def test_a_link_that_has_ended_or_lost_its_signature_leads_to_its_object_too() -> None:
    assert links.uri("https://data.s3.eu-central-1.amazonaws.com/inputs/a.png") == "s3://data/inputs/a.png"


@pytest.mark.parametrize(
    "url",
    [
        "https://data.s3.eu-central-1.amazonaws.com/results/a",
        "https://data.s3.eu-central-1.amazonaws.com.example/inputs/a.png",
        "https://data.s3.eu-central-1.amazonaws.com@example.com/inputs/a.png",
        "http://data.s3.eu-central-1.amazonaws.com/inputs/a.png",
        "https://other.s3.eu-central-1.amazonaws.com/inputs/a.png",
        "https://[/inputs/a.png",
        "s3://data/inputs/a.png",
        "data:image/png;base64,AAAA",
        "",
    ],
)
def test_other_addresses_lead_to_no_object(url: str) -> None:
    assert links.uri(url) is None
