"""What a first visit of each page costs in a browser: seconds to its content, and what is sent.

In: a dashboard that runs, and the system's chromium. Out: for each page the median over fresh
profiles: seconds to the first content and to the largest, the sum of layout shifts, and KiB sent,
of JavaScript and in all. Needs a state with gold.

Run standalone: `./lake dashboard`, then `.venv/bin/python bench/page_loads.py --visits 5`.
"""

import argparse
import json
import shutil
from collections.abc import Mapping
from statistics import median
from typing import Any

from dashboards.registry import modules
from lakehouse.settings import Settings, address
from operations.bench.subject import machine

_OBSERVE = """
window.seen = {largest: 0, shift: 0};
new PerformanceObserver(list => list.getEntries().forEach(e => { seen.largest = e.startTime; }))
  .observe({type: 'largest-contentful-paint', buffered: true});
new PerformanceObserver(list => list.getEntries().forEach(e => { seen.shift += e.value; }))
  .observe({type: 'layout-shift', buffered: true});
"""
_TELL = """() => {
  const sent = performance.getEntriesByType('resource').concat(
    performance.getEntriesByType('navigation'));
  const sum = list => list.reduce((all, e) => all + e.encodedBodySize, 0) / 1024;
  return {
    first_seconds: performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000,
    largest_seconds: seen.largest / 1000,
    layout_shift: seen.shift,
    javascript_kib: sum(sent.filter(
      e => e.initiatorType === 'script' || /\\.js(\\?|$)/.test(e.name))),
    all_kib: sum(sent),
  };
}"""


def visited(browser: Any, url: str) -> Mapping[str, float]:
    """One visit with an empty cache."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.add_init_script(_OBSERVE)
    page.goto(url)
    page.locator("html[data-live=on]").wait_for()
    page.wait_for_load_state("networkidle")
    found: Mapping[str, float] = page.evaluate(_TELL)
    context.close()
    return found


def main() -> None:
    """Visit every page, print a line each and all of it as JSON."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--visits", type=int, default=3, help="Visits of each page.")
    visits = parser.parse_args().visits
    base, pages = address(Settings()), {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        visited(browser, base)  # the server's own first answer
        for module in modules():
            seen = [visited(browser, base.rstrip("/") + module.PAGE.path) for _ in range(visits)]
            found = {name: round(median(each[name] for each in seen), 3) for name in seen[0]}
            pages[module.PAGE.title] = found
            print(
                f"{module.PAGE.title:16} first content {found['first_seconds']:.2f} s, "
                f"largest {found['largest_seconds']:.2f} s, shift {found['layout_shift']:.3f}, "
                f"JavaScript {found['javascript_kib']:.0f} of {found['all_kib']:.0f} KiB",
                flush=True,
            )
        browser.close()
    print(json.dumps({"visits": visits, "pages": pages, **machine()}))


if __name__ == "__main__":
    main()
