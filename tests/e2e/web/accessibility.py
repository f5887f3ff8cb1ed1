"""axe-core's rules of accessibility."""

from typing import Any

from playwright.sync_api import Page

from tests.conftest import ROOT

_AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"


def check_accessibility(page: Page) -> None:
    """Fails if axe-core finds anything in what the page shows now, contrast included."""
    page.evaluate(_AXE.read_text())
    found: Any = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    lines = [
        f"{violation['id']}: {violation['help']}: {node['html']}: {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
    assert not lines, "axe-core has found:\n" + "\n".join(lines)
