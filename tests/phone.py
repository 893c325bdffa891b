"""A page of ours on a phone without network, in a real browser."""

from pathlib import Path


def on_a_phone(path: Path, *, scheme: str) -> tuple[list[str], int, str]:
    """Open an HTML file, 375 pixels wide, in a light or dark scheme.

    Returns: the addresses it asked for, the width of its content, the colour of its paper.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(
            viewport={"width": 375, "height": 800},
            color_scheme="dark" if scheme == "dark" else "light",
            offline=True,
        )
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        width = page.evaluate("document.documentElement.scrollWidth")
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        browser.close()
    return asked, width, paper
