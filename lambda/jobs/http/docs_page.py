"""The API reference as a page: swagger-ui with the OpenAPI document, in one file that loads nothing."""

import base64
import hashlib
from functools import cache
from pathlib import Path

import aws_lambda_powertools

_ASSETS = Path(aws_lambda_powertools.__file__).parent / "event_handler" / "openapi" / "swagger_ui"
"""swagger-ui, which Powertools contains."""

_START = """
SwaggerUIBundle({
  dom_id: "#swagger-ui",
  spec: JSON.parse(document.getElementById("openapi").textContent),
  deepLinking: true,
  validatorUrl: null,
});
"""
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stable Diffusion Quick Kit</title>
<style>{style}</style>
</head>
<body>
<div id="swagger-ui"></div>
<script type="application/json" id="openapi">{document}</script>
<script>{library}</script>
<script>{start}</script>
</body>
</html>
"""


@cache
def _library() -> str:
    return (_ASSETS / "swagger-ui-bundle.min.js").read_text()


@cache
def docs_page(openapi_json: str) -> str:
    """The page."""
    return _PAGE.format(
        style=(_ASSETS / "swagger-ui.min.css").read_text(),
        document=openapi_json.replace("<", "\\u003c"),
        library=_library(),
        start=_START,
    )


@cache
def content_security_policy() -> str:
    """The page's Content-Security-Policy: its own two scripts, and requests to the API."""
    scripts = " ".join(f"'{_digest(script)}'" for script in (_library(), _START))
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _digest(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
