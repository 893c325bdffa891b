"""A visit to the served pages in the system's chromium, one browser for all tests of a module."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update"
)
WIDE = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}


@dataclass
class Visit:
    """A browser's page, and everything that a good page has none of."""

    page: Any
    base: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str = "/") -> Any:
        self.page.goto(self.base + path)
        self.page.locator("html[data-live=on]").wait_for()
        return self.page

    def kpis(self) -> dict[str, str]:
        """Name and value of each card."""
        return {
            card.get_attribute("data-kpi"): card.locator(".kpi-value").inner_text()
            for card in self.page.locator("[data-kpi]").all()
        }

    def wait_for_net(self, value: str, *, timeout: int | None = None) -> None:
        """Returns when the card of net revenue shows `value`."""
        card = self.page.locator("[data-kpi=net-revenue] .kpi-value", has_text=value)
        card.wait_for(timeout=timeout)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The system's chromium."""
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium")
    assert executable, "install the package chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, args=FLAGS.split())
        yield running
        running.close()


@pytest.fixture
def visit(browser: Any, server: Any, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A fresh profile; console errors, failed requests and foreign requests fail the test."""
    server.clear()
    context = browser.new_context(**getattr(request, "param", WIDE))
    context.set_default_timeout(60_000)
    base = f"http://127.0.0.1:{server.settings.dashboard_port}"
    visit = Visit(context.new_page(), base)
    own = (f"{base}/", f"{base.replace('http', 'ws', 1)}/", "data:", "blob:")

    def note(kind: str, text: str, *, is_bad: bool = True) -> None:
        if is_bad:
            visit.complaints.append(f"{kind}: {text}")

    def look(sent: Any) -> None:
        note("foreign request", sent.url, is_bad=not sent.url.startswith(own))

    visit.page.on("console", lambda said: note("console", said.text, is_bad=said.type == "error"))
    visit.page.on("pageerror", lambda error: note("page error", str(error)))
    visit.page.on("response", lambda got: note("status", got.url, is_bad=got.status >= 400))
    visit.page.on("websocket", look)
    context.on("request", look)
    yield visit
    complaints = list(visit.complaints)
    context.close()
    assert complaints == []
