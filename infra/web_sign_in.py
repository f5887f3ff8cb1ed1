"""The sign-in of visitors of the page."""

import aws_cdk as cdk
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from contract.page import ApiKeySignIn, CognitoSignIn, PageConfig
from infra.config import ApiConfig, CognitoAuth, WebConfig

_SESSION_HOURS = 12
_OPENID = "openid"


def page_config(scope: Construct, api: ApiConfig, web: WebConfig, *, url: str) -> PageConfig:
    """The page's configuration, with a client of the user pool for the page at `url` if it needs one."""
    if not isinstance(api.auth, CognitoAuth) or web.sign_in is None:
        return PageConfig(auth=ApiKeySignIn())
    scopes = tuple(dict.fromkeys((_OPENID, *api.auth.scopes)))
    client_id = web.sign_in.client_id or _add_client(scope, api.auth.user_pool_arn, scopes, f"{url}/")
    return PageConfig(
        auth=CognitoSignIn(
            domain=f"https://{web.sign_in.domain}",
            client_id=client_id,
            scopes=scopes,
            token="access" if api.auth.scopes else "id",
        )
    )


def _add_client(scope: Construct, user_pool_arn: str, scopes: tuple[str, ...], address: str) -> str:
    """Adds a client without a secret, which a page could not keep, and returns its id."""
    pool = cognito.UserPool.from_user_pool_arn(scope, "UserPool", user_pool_arn)
    client = pool.add_client(
        "PageClient",
        generate_secret=False,
        prevent_user_existence_errors=True,
        enable_token_revocation=True,
        refresh_token_validity=cdk.Duration.hours(_SESSION_HOURS),
        o_auth=cognito.OAuthSettings(
            flows=cognito.OAuthFlows(authorization_code_grant=True),
            scopes=[
                cognito.OAuthScope.OPENID if each == _OPENID else cognito.OAuthScope.custom(each)
                for each in scopes
            ],
            callback_urls=[address],
            logout_urls=[address],
        ),
    )
    return client.user_pool_client_id
