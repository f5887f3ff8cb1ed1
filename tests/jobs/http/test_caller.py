import pytest

from jobs.http.caller import ANONYMOUS, caller_of

ROLE = "arn:aws:sts::123456789012:assumed-role/generator"
USER = "arn:aws:iam::123456789012:user/team/anna"


@pytest.mark.parametrize(
    ("context", "caller"),
    [
        ({"identity": {"apiKeyId": "a1b2", "userArn": None}}, "key:a1b2"),
        ({"identity": {"userArn": USER}}, f"iam:{USER}"),
        ({"identity": {"userArn": f"{ROLE}/session-1", "apiKeyId": None}}, f"iam:{ROLE}"),
        ({"identity": {"userArn": f"{ROLE}/session-2"}}, f"iam:{ROLE}"),
        ({"identity": {}, "authorizer": {"claims": {"sub": "77-88"}}}, "user:77-88"),
        ({"identity": {"apiKeyId": "a1b2"}, "authorizer": {"claims": {"sub": "77-88"}}}, "user:77-88"),
        ({"identity": {"sourceIp": "1.2.3.4"}}, ANONYMOUS.id),
        ({"authorizer": None, "identity": None}, ANONYMOUS.id),
        ({}, ANONYMOUS.id),
    ],
)
def test_the_caller_is_what_api_gateway_has_authenticated(context: dict[str, object], caller: str) -> None:
    assert caller_of({"requestContext": context}).id == caller


def test_headers_do_not_change_the_caller() -> None:
    event = {"requestContext": {"identity": {"apiKeyId": "a1b2"}}, "headers": {"x-caller": "key:other"}}
    assert caller_of(event).id == "key:a1b2"
