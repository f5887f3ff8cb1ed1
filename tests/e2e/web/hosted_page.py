"""A stand-in for Cognito's hosted page and token endpoint, at the address of the local stack."""

import base64
import hashlib
import json
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import Page, Route

from local.stack import LocalStack

_REFRESH = "renews-the-session"


def _query(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class HostedPage:
    """Answers the browser's requests to the hosted page, and checks the tokens that the API gets.

    Attributes:
        authorized: the parameters of the requests to sign in.
        renewals: the number of renewed sessions.
        lifetime_s: of the tokens that are issued next.
        refuses_renewal: whether sessions are not renewed any more.
        accepted: the token that the API accepts.
    """

    def __init__(self, page: Page, stack: LocalStack) -> None:
        self.authorized: list[dict[str, str]] = []
        self.renewals = 0
        self.lifetime_s = 3600
        self.refuses_renewal = False
        self.accepted = ""
        self._url = stack.address.api_url
        self._key = stack.address.api_key
        auth = {
            "type": "cognito",
            "domain": self._url,
            "client_id": "page",
            "scopes": ["openid"],
            "token": "id",
        }
        page.route("**/config.json", lambda route: route.fulfill(json={"auth": auth}))
        page.route("**/oauth2/authorize?*", self._authorize)
        page.route("**/oauth2/token", self._token)
        page.route("**/logout?*", self._logout)
        page.route("**/v1/**", self._api)

    def _authorize(self, route: Route) -> None:
        """A page with links to the answers that a visitor's choice leads to."""
        asked = _query(urlsplit(route.request.url).query)
        self.authorized.append(asked)
        redirect = f"{self._url}/"
        assert asked["redirect_uri"] == redirect
        accept = urlencode({"code": "the-code", "state": asked["state"]})
        refuse = urlencode(
            {"error": "access_denied", "error_description": "User is disabled", "state": asked["state"]}
        )
        route.fulfill(
            content_type="text/html",
            body=f"<a href='{redirect}?{accept}'>Accept</a> <a href='{redirect}?{refuse}'>Refuse</a>",
        )

    def _token(self, route: Route) -> None:
        asked = _query(route.request.post_data or "")
        assert asked["client_id"] == "page"
        if asked["grant_type"] == "refresh_token":
            if self.refuses_renewal:
                route.fulfill(status=400, json={"error": "invalid_grant"})
                return
            assert asked["refresh_token"] == _REFRESH
            self.renewals += 1
            route.fulfill(json=self._tokens("", refresh=False))
            return
        request = self.authorized[-1]
        assert asked["code"] == "the-code"
        digest = hashlib.sha256(asked["code_verifier"].encode()).digest()
        assert _base64url(digest) == request["code_challenge"]
        route.fulfill(json=self._tokens(request["nonce"], refresh=True))

    def _tokens(self, nonce: str, *, refresh: bool) -> dict[str, object]:
        claims = json.dumps({"nonce": nonce, "renewal": self.renewals}).encode()
        self.accepted = f"header.{_base64url(claims)}.signature"
        return {
            "id_token": self.accepted,
            "access_token": "not-for-the-api",
            "expires_in": self.lifetime_s,
            **({"refresh_token": _REFRESH} if refresh else {}),
        }

    def _logout(self, route: Route) -> None:
        asked = _query(urlsplit(route.request.url).query)
        route.fulfill(status=302, headers={"Location": asked["logout_uri"]})

    def _api(self, route: Route) -> None:
        """The stack's API, which takes an API key, behind the check of the token."""
        headers = dict(route.request.headers)
        if headers.pop("authorization", "") != self.accepted:
            detail = "Send a valid id token."
            route.fulfill(
                status=401,
                content_type="application/problem+json",
                body=json.dumps({"status": 401, "code": "unauthorized", "detail": detail}),
            )
            return
        route.continue_(headers=headers | {"x-api-key": self._key})
