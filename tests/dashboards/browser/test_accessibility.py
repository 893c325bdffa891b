"""Every page judged by axe-core: names, roles, contrast, order of headings."""

from typing import Any

import pytest

from dashboards.registry import PAGES, module_of

pytestmark = pytest.mark.browser
DARK_PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
BAD = {"serious", "critical"}
PATHS = tuple(module_of(name).PAGE.path for name in PAGES)


def findings(visit: Any, path: str) -> list[str]:
    """What axe-core finds serious or worse, as rule and element."""
    from axe_playwright_python.sync_playwright import Axe

    page = visit.open(path)
    page.wait_for_load_state("networkidle")
    return [
        f"{path}: {rule['id']}: {node['html'][:120]} ({node['failureSummary']})"
        for rule in Axe().run(page).response["violations"]
        if rule["impact"] in BAD
        for node in rule["nodes"]
    ]


def test_no_page_has_a_serious_finding(visit: Any, server: Any) -> None:
    server.publish("run-1")
    assert [each for path in PATHS for each in findings(visit, path)] == []


@pytest.mark.slow
@pytest.mark.parametrize("visit", [DARK_PHONE], indirect=True)
def test_no_page_has_a_serious_finding_in_the_dark_on_a_phone(visit: Any, server: Any) -> None:
    server.publish("run-1")
    assert [each for path in PATHS for each in findings(visit, path)] == []
