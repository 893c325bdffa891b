"""A report as HTML that mail clients show: tables, styles on each element, light and dark.

In: `Told` and its charts. Out: one page whose images are parts of the same mail (cid:), or data
links for a preview. Every text is escaped by the template.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from reports.charts import Chart
from reports.wording import Told

if TYPE_CHECKING:
    from jinja2 import Template


@dataclass(frozen=True)
class Placed:
    """A chart with the ids of its two parts of the mail."""

    chart: Chart
    light_id: str
    dark_id: str

    @property
    def title(self) -> str:
        return self.chart.title

    @property
    def alt(self) -> str:
        return self.chart.alt


def page(
    told: Told, placed: Sequence[Placed], *, links: Sequence[tuple[str, str]], unsubscribe: str
) -> str:
    """The HTML part of a mail."""
    import css_inline

    text = _template().render(
        told=told, words=told.words, charts=placed, links=links, unsubscribe=unsubscribe
    )
    inliner = css_inline.CSSInliner(
        load_remote_stylesheets=False, keep_style_tags=False, keep_at_rules=True
    )
    return str(inliner.inline(text))


def with_images_inside(html: str, placed: Sequence[Placed]) -> str:
    """The same page with its images in it, for a browser."""
    for each in placed:
        for cid, image in ((each.light_id, each.chart.light), (each.dark_id, each.chart.dark)):
            data = b64encode(image).decode()
            html = html.replace(f"cid:{cid}", f"data:image/png;base64,{data}")
    return html


@cache
def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")
